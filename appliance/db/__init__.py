"""The only SQL: the store with its one writer, the migrations, and one module of queries for each subject."""
