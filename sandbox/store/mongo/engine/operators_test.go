package engine

import (
	"strings"
	"testing"
)

// The operators of the manual of 8.0 (https://www.mongodb.com/docs/v8.0/reference/operator/),
// each list in the manual's order.
const (
	expressionNames = "$abs $acos $acosh $add $allElementsTrue $and $anyElementTrue $arrayElemAt $arrayToObject $asin $asinh $atan $atan2 $atanh $avg $binarySize $bitAnd $bitNot " +
		"$bitOr $bitXor $bsonSize $ceil $cmp $concat $concatArrays $cond $convert $cos $cosh $dateAdd $dateDiff $dateFromParts $dateFromString $dateSubtract $dateToParts " +
		"$dateToString $dateTrunc $dayOfMonth $dayOfWeek $dayOfYear $degreesToRadians $divide $eq $exp $filter $first $firstN $floor $function $getField $gt $gte $hour $ifNull $in " +
		"$indexOfArray $indexOfBytes $indexOfCP $isArray $isNumber $isoDayOfWeek $isoWeek $isoWeekYear $last $lastN $let $literal $ln $log $log10 $lt $lte $ltrim $map $max $maxN " +
		"$median $mergeObjects $meta $min $minN $millisecond $minute $mod $month $multiply $ne $not $objectToArray $or $percentile $pow $radiansToDegrees $rand $range $reduce " +
		"$regexFind $regexFindAll $regexMatch $replaceOne $replaceAll $reverseArray $round $rtrim $sampleRate $second $setDifference $setEquals $setField $setIntersection " +
		"$setIsSubset $setUnion $size $sin $sinh $slice $sortArray $split $sqrt $stdDevPop $stdDevSamp $strcasecmp $strLenBytes $strLenCP $substr $substrBytes $substrCP $subtract " +
		"$sum $switch $tan $tanh $toBool $toDate $toDecimal $toDouble $toHashedIndexKey $toInt $toLong $toObjectId $toString $toLower $toUpper $toUUID $trim $trunc $tsIncrement " +
		"$tsSecond $type $unsetField $week $year $zip"
	stageNames = "$addFields $bucket $bucketAuto $changeStream $changeStreamSplitLargeEvent $collStats $count $currentOp $densify $documents $facet $fill $geoNear $graphLookup $group " +
		"$indexStats $limit $listLocalSessions $listSampledQueries $listSearchIndexes $listSessions $lookup $match $merge $out $planCacheStats $project $querySettings $queryStats " +
		"$redact $replaceRoot $replaceWith $sample $search $searchMeta $set $setWindowFields $shardedDataDistribution $skip $sort $sortByCount $unionWith $unset $unwind $vectorSearch"
	accumulatorNames = "$accumulator $addToSet $avg $bottom $bottomN $count $first $firstN $last $lastN $max $maxN $median $mergeObjects $min $minN $percentile $push $stdDevPop " +
		"$stdDevSamp $sum $top $topN"
	windowNames = "$addToSet $avg $bottom $bottomN $count $covariancePop $covarianceSamp $denseRank $derivative $documentNumber $expMovingAvg $first $firstN $integral $last $lastN " +
		"$linearFill $locf $max $maxN $median $min $minN $percentile $push $rank $shift $stdDevPop $stdDevSamp $sum $top $topN"
	fieldQueryNames = "$eq $gt $gte $in $lt $lte $ne $nin $not $exists $type $mod $regex $geoIntersects $geoWithin $near $nearSphere $all $elemMatch $size $bitsAllClear " +
		"$bitsAllSet $bitsAnyClear $bitsAnySet"
	topQueryNames = "$and $nor $or $expr $jsonSchema $text $where $comment"
	updateNames   = "$currentDate $inc $min $max $mul $rename $set $setOnInsert $unset $addToSet $pop $pull $push $pullAll $bit"
)

func TestEveryOperatorOfTheManualIsKnown(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	for kind, c := range map[string]struct{ names, command string }{
		"expression":  {expressionNames, `{"aggregate":"c","cursor":{},"pipeline":[{"$project":{"x":{"$$$":1}}}]}`},
		"stage":       {stageNames, `{"aggregate":"c","cursor":{},"pipeline":[{"$$$":{}}]}`},
		"accumulator": {accumulatorNames, `{"aggregate":"c","cursor":{},"pipeline":[{"$group":{"_id":1,"x":{"$$$":{}}}}]}`},
		"window":      {windowNames, `{"aggregate":"c","cursor":{},"pipeline":[{"$setWindowFields":{"sortBy":{"a":1},"output":{"x":{"$$$":{}}}}}]}`},
		"query":       {fieldQueryNames, `{"find":"c","filter":{"a":{"$$$":1}}}`},
		"top query":   {topQueryNames, `{"find":"c","filter":{"$$$":1}}`},
		"update":      {updateNames, `{"update":"c","updates":[{"q":{},"u":{"$$$":{"z":1}}}]}`},
	} {
		for name := range strings.FieldsSeq(c.names + " $storeroom") {
			out := d.try(strings.Replace(c.command, "$$$", name, 1)).String()
			unknown := strings.Contains(out, "nrecognized") || strings.Contains(out, "nknown")
			if unknown != (name == "$storeroom") {
				t.Errorf("%s %s: %s", kind, name, out)
			}
		}
	}
}

// What the engine leaves out it refuses with the code that the server has for it.
func TestWhatIsLeftOutIsRefusedWithAReason(t *testing.T) {
	d := newDB(t, Options{})
	d.run(`{"insert":"c","documents":[{"_id":1,"a":1}]}`)
	for command, want := range map[string]struct {
		code   int64
		reason string
	}{
		`{"aggregate":"c","cursor":{},"pipeline":[{"$search":{}}]}`:                                                                 {31082, "Atlas"},
		`{"aggregate":"c","cursor":{},"pipeline":[{"$listSearchIndexes":{}}]}`:                                                      {31082, "Atlas"},
		`{"aggregate":1,"$db":"admin","cursor":{},"pipeline":[{"$queryStats":{}}]}`:                                                 {115, "not supported"},
		`{"aggregate":1,"$db":"admin","cursor":{},"pipeline":[{"$querySettings":{}}]}`:                                              {115, "not supported"},
		`{"aggregate":1,"$db":"admin","cursor":{},"pipeline":[{"$shardedDataDistribution":{}}]}`:                                    {6789101, "mongoS"},
		`{"aggregate":"c","cursor":{},"pipeline":[{"$project":{"x":{"$function":{"body":"function(){}","args":[],"lang":"js"}}}}]}`: {31264, "JavaScript"},
		`{"aggregate":"c","cursor":{},"pipeline":[{"$group":{"_id":1,"x":{"$accumulator":{}}}}]}`:                                   {31264, "JavaScript"},
		`{"find":"c","filter":{"$where":"this.a == 1"}}`:                                                                            {31264, "JavaScript"},
		`{"mapReduce":"c","map":"","reduce":"","out":{"inline":1}}`:                                                                 {115, "use "},
		`{"setQuerySettings":{"find":"c","$db":"test"},"settings":{"reject":true},"$db":"admin"}`:                                   {115, "use "},
		`{"createSearchIndexes":"c","indexes":[]}`:                                                                                  {31082, "Atlas"},
	} {
		out := d.try(command)
		if out.Get("code").Long() != want.code || !strings.Contains(out.Get("errmsg").Str(), want.reason) {
			t.Errorf("%s: %s", command, out)
		}
	}
}
