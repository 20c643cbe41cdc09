"""The engine of the database: the one writer and the readers, units of work, migrations, files and backups. All that only SQLite knows is here."""
