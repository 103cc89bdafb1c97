package keyword

import "strings"

// fingerprint counts the transitions between the characters of a word: letters are told apart, all digits are one
// class, and everything else, the ends of the word included, is another. Row 0 marks which classes occur.
type fingerprint [32 * 32]uint8

const (
	digitClass = 27
	otherClass = 28
)

func (fp *fingerprint) add(word string) {
	from := otherClass
	for i := 0; i < len(word); i++ {
		to := otherClass
		switch c := word[i] | 0x20; {
		case c >= 'a' && c <= 'z':
			to = int(c-'a') + 1
		case word[i] >= '0' && word[i] <= '9':
			to = digitClass
		}
		fp[to] = 1
		fp[32*from+to]++
		from = to
	}
	fp[32*from+otherClass]++
}

// distance counts the transitions that only one of two words has.
func (fp *fingerprint) distance(other *fingerprint) int {
	sum := 0
	for i := range fp {
		if fp[i] > other[i] {
			sum += int(fp[i] - other[i])
		} else {
			sum += int(other[i] - fp[i])
		}
	}
	return sum
}

// Suggester looks for the word that another one is closest to. Candidates are tried in order; of equals the first wins.
type Suggester struct {
	word     string
	sign     fingerprint
	best     string
	distance int
	found    bool
}

// NewSuggester prepares to find what word was meant to be.
func NewSuggester(word string) *Suggester {
	s := &Suggester{word: word}
	s.sign.add(word)
	return s
}

// Try compares one candidate.
func (s *Suggester) Try(candidate string) {
	var fp fingerprint
	fp.add(candidate)
	if d := s.sign.distance(&fp); !s.found || d < s.distance {
		s.best, s.distance, s.found = candidate, d, true
	}
}

// Best returns the closest candidate, "" when even that one is too far away: more than twice the length of either word.
func (s *Suggester) Best() string { return s.Within(2) }

// Within returns the closest candidate, "" when it is farther away than so many times the length of either word.
func (s *Suggester) Within(times int) string {
	if !s.found || s.distance > times*len(s.word) || s.distance > times*len(s.best) {
		return ""
	}
	return s.best
}

// Suggest returns which of the candidates word is most likely a misspelling of, or "".
func Suggest(word string, candidates []string) string {
	s := NewSuggester(word)
	for _, c := range candidates {
		s.Try(c)
	}
	return s.Best()
}

// List joins names as messages list them: `'a', 'b', 'c'`.
func List(names []string) string {
	return "'" + strings.Join(names, "', '") + "'"
}

// Fingerprint is what misspelt words are compared by, for those that compare several words at once.
type Fingerprint struct{ sign fingerprint }

// Add counts one more word in.
func (f *Fingerprint) Add(word string) { f.sign.add(word) }

// Distance counts the transitions between characters that only one of two fingerprints has.
func (f *Fingerprint) Distance(other *Fingerprint) int { return f.sign.distance(&other.sign) }
