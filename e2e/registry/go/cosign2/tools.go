//go:build tools

// Package tools names the signing client that this module builds.
package tools

import _ "github.com/sigstore/cosign/v2/cmd/cosign"
