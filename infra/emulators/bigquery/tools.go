//go:build tools

// Package tools pins the BigQuery emulator, so that every machine builds the same one from the same sums.
package tools

import _ "github.com/goccy/bigquery-emulator/cmd/bigquery-emulator"
