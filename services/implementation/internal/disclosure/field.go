package disclosure

import "math/bits"

// subtract takes factor times the row from v, from a column on.
func subtract(v, row []uint64, factor uint64, from int) {
	for c := from; c < len(v); c++ {
		if row[c] != 0 {
			v[c] = add(v[c], prime-multiply(factor, row[c]))
		}
	}
}

func scale(row []uint64, factor uint64) {
	for c, x := range row {
		row[c] = multiply(x, factor)
	}
}

// add adds numbers of at most the prime, and answers one below it.
func add(a, b uint64) uint64 {
	if sum := a + b; sum >= prime {
		return sum - prime
	} else {
		return sum
	}
}

// multiply uses that 2⁶¹ is 1 modulo 2⁶¹−1: the high half is just added.
func multiply(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return add(low&prime, (high<<3|low>>61)%prime)
}

// inverse is x to the power of prime−2, after Fermat.
func inverse(x uint64) uint64 {
	result := uint64(1)
	for e := uint64(prime - 2); e > 0; e >>= 1 {
		if e&1 == 1 {
			result = multiply(result, x)
		}
		x = multiply(x, x)
	}
	return result
}
