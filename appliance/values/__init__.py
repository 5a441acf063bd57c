"""What a record is made of: identifiers, dates, characters, kana, addresses, and how each is read.

Pure functions and tables (``data/``); nothing here knows a resident, a right or a file.
"""
