"""The way in from the network: sockets, TLS, strict reading, forms of answers.

``server.py`` is the first file to read; what it hands on goes to ``appliance/http.py``.
"""
