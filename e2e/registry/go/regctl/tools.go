//go:build tools

// Package tools names the registry client that this module builds.
package tools

import _ "github.com/regclient/regclient/cmd/regctl"
