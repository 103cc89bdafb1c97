// The Go tool wants an assembly file beside functions without a body.
