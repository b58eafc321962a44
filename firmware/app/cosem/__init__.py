"""COSEM interface classes and the catalogue of their instances in this meter (IEC 62056-62).

One file holds one interface class: its attribute and method table on top, then what the attributes
mean. Objects are flyweights: one handler serves all instances of its class, and a small key tells
which instance is meant. To add an interface class:

1. write a file with a subclass of base.InterfaceClass: class id, version, ATTRIBUTES, METHODS, and
   `get`, `put`, `act` for what the tables promise;
2. add a line for each instance to catalogue.py, with the rights group of access.py;
3. take vectors from the Blue Book or from a foreign encoder into host_tests/unit/test_cosem_*.py;
   the test that reads every attribute of every object covers the types by itself;
4. name the feature rows in the tests and add a line to the change log.
"""
