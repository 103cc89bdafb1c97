package main

import (
	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/runtime/acme"
	"hapax/runtime/balance"
	"hapax/runtime/cache"
	"hapax/runtime/check"
	"hapax/runtime/compress"
	"hapax/runtime/config"
	"hapax/runtime/cookie"
	"hapax/runtime/engine"
	"hapax/runtime/fcgi"
	"hapax/runtime/filter"
	"hapax/runtime/httpclient"
	"hapax/runtime/logger"
	"hapax/runtime/lua"
	"hapax/runtime/mailer"
	"hapax/runtime/maps"
	"hapax/runtime/objects"
	"hapax/runtime/peers"
	"hapax/runtime/proxyproto"
	"hapax/runtime/queue"
	"hapax/runtime/quic"
	"hapax/runtime/resolver"
	"hapax/runtime/rules"
	"hapax/runtime/ssl"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
	"hapax/stats"
)

// domains is the one ordered list of everything that hapax knows: what a
// configuration may say, what the runtime API answers, and all that is derived
// from it. To add a domain is to add its package and a line here.
func domains() []*config.Domain {
	return []*config.Domain{
		config.Rows(),
		{Name: "acl", Fetches: acl.Fetches, Converters: pattern.Converters},
		{Name: "fetch", Fetches: fetch.Rows},
		{Name: "convert", Converters: convert.Rows},
		&cookie.Domain,
		&balance.Domain,
		&check.Domain,
		&queue.Domain,
		&peers.Domain, // finds out for whom connections of peers are taken
		&ssl.Domain,
		&proxyproto.Domain,
		&rules.Domain,
		&logger.Domain,
		&maps.Domain,
		&sticktable.Domain,
		&mailer.Domain,
		&resolver.Domain,
		&httpclient.Domain,
		&lua.Domain,
		&cache.Domain,
		&compress.Domain,
		&filter.Domain,
		&fcgi.Domain,
		&acme.Domain,
		&trace.Domain,
		&quic.Domain,
		&engine.Domain,
		&objects.Domain,
		&stats.Domain,
	}
}
