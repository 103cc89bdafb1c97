package ssl

// updates are the global options of "ocsp-update".
type updates struct {
	mode tristate
}

// updateState is what is known of the fetching of a response.
type updateState struct{}

// follow makes the responses of a certificate be fetched, where that is wanted.
func (s *store) follow(g *settings, e *entry, t *staple) {}
