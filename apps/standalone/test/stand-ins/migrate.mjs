// Stands in for the migrations: nothing to do.
