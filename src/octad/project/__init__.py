"""The files of a project: loaded with line numbers, digested, recorded in the ledger."""
