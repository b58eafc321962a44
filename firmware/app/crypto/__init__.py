"""Cryptography of security suite 0: AES-128, GCM, key wrap, comparison in constant time.

A leaf of the tree: octets in, octets out, no keys of its own. What AES runs on comes from the
board (hal.Board.block_cipher): the port's cryptolib where it has one, else aes.SoftwareAes.
"""
