"""Ciphered sessions of the clients in clients.py: GXDLMSSecureClient and dlms-cosem with keys.

The keys are the factory's public test material (docs/virtual-meter.md).
"""

import clients
from dlms_cosem import client as cosem_client
from dlms_cosem.io import HdlcTransport, TcpTransport
from dlms_cosem.security import (
    HighLevelSecurityGmacAuthentication,
    LowLevelSecurityAuthentication,
)
from gurux_dlms.enums import Authentication, InterfaceType, Security
from gurux_dlms.objects import GXDLMSData
from gurux_dlms.secure import GXDLMSSecureClient

GUEK = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
GBEK = bytes.fromhex("101112131415161718191A1B1C1D1E1F")
GAK = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
KEK = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TITLE = b"TST\x00\x00\x00\x00\x01"
METER_TITLE = bytes.fromhex("4652536770000001")


class SecureGurux(clients.Gurux):
    """A session of gurux-dlms with keys; `security` is what protects APDUs."""

    def __init__(
        self, transport, sap=clients.MANAGEMENT, *, authentication=Authentication.HIGH_GMAC,
        security=Security.AUTHENTICATION_ENCRYPTION, secret=None, counter=1, guek=GUEK, gak=GAK,
        title=TITLE, dedicated=None, hdlc=False, server=1, protected_release=True,
    ):  # fmt: skip
        self.transport = transport
        interface = InterfaceType.HDLC if hdlc else InterfaceType.WRAPPER
        self.client = GXDLMSSecureClient(True, sap, server, authentication, secret, interface)
        cipher = self.client.ciphering
        cipher.systemTitle = title
        cipher.blockCipherKey = guek
        cipher.authenticationKey = gak
        cipher.security = security
        cipher.invocationCounter = counter
        if dedicated:
            cipher.dedicatedKey = dedicated
        self.client.useProtectedRelease = protected_release

    @property
    def counter(self):
        return self.client.ciphering.invocationCounter

    def connect(self):
        super().connect()
        if self.client.authentication > Authentication.LOW:
            reply = self.exchange(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(reply.data)
        return self


def next_counter(transport, **options):
    """What a public client reads as the number accepted last, and one more."""
    session = clients.Gurux(transport, clients.PUBLIC, **options).connect()
    value = session.read(GXDLMSData("0.0.43.1.0.255"), 2)
    return value + 1


def secure_dlms_cosem(
    transport,
    counter=1,
    *,
    secret=None,
    hdlc=False,
    physical=None,
    guek=GUEK,
    gak=GAK,
    title=TITLE,
):
    """A dlms-cosem client of the management SAP with keys; use its `session()`."""
    io = clients._Io(transport)
    if hdlc:
        below = HdlcTransport(
            client_logical_address=1,
            server_logical_address=1,
            server_physical_address=physical,
            io=io,
        )
    else:
        below = TcpTransport(client_logical_address=1, server_logical_address=1, io=io)
    if secret:
        authentication = LowLevelSecurityAuthentication(secret)
    else:
        authentication = HighLevelSecurityGmacAuthentication()
    return cosem_client.DlmsClient(
        below,
        authentication,
        encryption_key=guek,
        authentication_key=gak,
        client_system_title=title,
        client_initial_invocation_counter=counter,
        max_pdu_size=1024,
    )
