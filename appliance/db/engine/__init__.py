"""An engine of the database: what it takes to run the SQL of `db` on SQLite (and, one day, on another one).

Here, and nowhere else, stands which engine it is: how it is opened, its own words, its types and its errors. All other modules
speak SQL that SQLite and PostgreSQL both run (`tests/db/test_portable_sql.py` lists what that excludes).
"""
