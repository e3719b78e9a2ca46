package agg

import (
	"math"
	"slices"

	"storeroom/sandbox/store/mongo/engine/bsonval"
	"storeroom/sandbox/store/mongo/engine/mongoerr"
)

// rounder is one of $bucketAuto's series of preferred numbers. up answers the next
// number of the series above f, down the one before it.
type rounder interface {
	up(f float64) float64
	down(f float64) float64
}

func granularity(v bsonval.Value) (rounder, error) {
	if v.Type() != bsonval.String {
		return nil, mongoerr.New(40261, "The $bucketAuto 'granularity' field must be a string, but found type: %s", v.Type())
	}
	if v.Str() == "POWERSOF2" {
		return powersOf2{}, nil
	}
	if s := seriesOf(v.Str()); s != nil {
		return s, nil
	}
	return nil, mongoerr.New(40257, "Unknown rounding granularity '%s'", v.Str())
}

type powersOf2 struct{}

func (powersOf2) up(f float64) float64 {
	if f == 0 {
		return 0.5
	}
	return math.Exp2(math.Floor(math.Log2(f)) + 1)
}

func (powersOf2) down(f float64) float64 {
	if f == 0 {
		return 0
	}
	return math.Exp2(math.Ceil(math.Log2(f)) - 1)
}

// series are the preferred numbers of one decade, from 10 (or 100) up.
type series []float64

func (s series) up(f float64) float64 {
	if f == 0 {
		return s[0] * 1e-6 // the least that anything is rounded to
	}
	scale := s.scale(f)
	for _, n := range s {
		if f < n*scale {
			return n * scale
		}
	}
	return s[0] * scale * 10
}

func (s series) down(f float64) float64 {
	if f == 0 {
		return 0
	}
	scale := s.scale(f)
	for _, n := range slices.Backward(s) {
		if n*scale < f {
			return n * scale
		}
	}
	return s[len(s)-1] * scale / 10
}

// scale is the power of ten that brings the decade to f.
func (s series) scale(f float64) float64 {
	scale := 1.0
	for f >= s[0]*scale*10 {
		scale *= 10
	}
	for f < s[0]*scale {
		scale /= 10
	}
	return scale
}

// seriesOf are the Renard series, 1-2-5 and the E series (IEC 60063); nil for others.
func seriesOf(name string) series {
	switch name {
	case "R5":
		return series{10, 16, 25, 40, 63}
	case "R10":
		return series{100, 125, 160, 200, 250, 315, 400, 500, 630, 800}
	case "R20":
		return series{100, 112, 125, 140, 160, 180, 200, 224, 250, 280, 315, 355, 400, 450, 500, 560, 630, 710, 800, 900}
	case "R40":
		return series{100, 106, 112, 118, 125, 132, 140, 150, 160, 170, 180, 190, 200, 212, 224, 236, 250, 265, 280, 300, 315, 335, 355, 375, 400, 425, 450, 475, 500, 530, 560, 600, 630, 670, 710, 750, 800, 850, 900, 950}
	case "R80":
		return series{103, 109, 115, 122, 128, 136, 145, 155, 165, 175, 185, 195, 206, 218, 230, 243, 258, 272, 290, 307, 325, 345, 365, 387, 412, 437, 462, 487, 515, 545, 575, 615, 650, 690, 730, 775, 825, 875, 925, 975}
	case "1-2-5":
		return series{10, 20, 50}
	case "E6":
		return series{10, 15, 22, 33, 47, 68}
	case "E12":
		return series{10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82}
	case "E24":
		return series{10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30, 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91}
	case "E48":
		return series{100, 105, 110, 115, 121, 127, 133, 140, 147, 154, 162, 169, 178, 187, 196, 205, 215, 226, 237, 249, 261, 274, 287, 301, 316, 332, 348, 365, 383, 402, 422, 442, 464, 487, 511, 536, 562, 590, 619, 649, 681, 715, 750, 787, 825, 866, 909, 953}
	case "E96":
		return series{100, 102, 105, 107, 110, 113, 115, 118, 121, 124, 127, 130, 133, 137, 140, 143, 147, 150, 154, 158, 162, 165, 169, 174, 178, 182, 187, 191, 196, 200, 205, 210, 215, 221, 226, 232, 237, 243, 249, 255, 261, 267, 274, 280, 287, 294, 301, 309, 316, 324, 332, 340, 348, 357, 365, 374, 383, 392, 402, 412, 422, 432, 442, 453, 464, 475, 487, 499, 511, 523, 536, 549, 562, 576, 590, 604, 619, 634, 649, 665, 681, 698, 715, 732, 750, 768, 787, 806, 825, 845, 866, 887, 909, 931, 953, 976}
	case "E192":
		return e192()
	}
	return nil
}

// e192 is 10^(i/192) to three digits, with the one exception of IEC 60063.
func e192() series {
	out := make(series, 192)
	for i := range out {
		out[i] = math.Round(100 * math.Pow(10, float64(i)/192))
	}
	out[185] = 920
	return out
}
