//go:build tools

// Package tools names the image builder that this module builds.
package tools

import _ "github.com/moby/buildkit/cmd/buildkitd"
