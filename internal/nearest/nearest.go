// Package nearest finds what somebody meant who mistyped a word. It knows nothing of what the words are.
package nearest

import "strings"

// Word returns the candidate that someone who wrote word most likely meant; empty if none is close. Case does not matter.
func Word(word string, candidates []string) string {
	const longest = 40 // no name is longer, and the work grows with the square
	if word == "" || len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	// Short words are close to everything: one letter in three may differ.
	best, bestDistance := "", len(word)/3+1
	for _, candidate := range candidates {
		if d := distance(word, strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete, replace or swap with their neighbour to get from a to b.
func distance(a, b string) int {
	before, previous, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(previous[j]+1, row[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, previous, row = previous, row, before
	}
	return previous[len(b)]
}
