//go:build tools

// Package tools pins Prism, so that every machine builds the same one from the same sums.
package tools

import _ "github.com/apache/beam/sdks/v2/go/cmd/prism"
