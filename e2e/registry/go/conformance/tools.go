//go:build tools

// Package tools names the conformance suite that this module builds.
package tools

import _ "github.com/opencontainers/distribution-spec/conformance"
