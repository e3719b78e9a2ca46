package mongoerr

import "strconv"

// Code is one of the server's error codes. Codes without a name, such as 40352, are
// the server's locations; their name is "Location40352".
type Code int32

// The server's named codes (src/mongo/base/error_codes.yml).
const (
	InternalError                            Code = 1
	BadValue                                 Code = 2
	NoSuchKey                                Code = 4
	GraphContainsCycle                       Code = 5
	HostUnreachable                          Code = 6
	HostNotFound                             Code = 7
	UnknownError                             Code = 8
	FailedToParse                            Code = 9
	CannotMutateObject                       Code = 10
	UserNotFound                             Code = 11
	UnsupportedFormat                        Code = 12
	Unauthorized                             Code = 13
	TypeMismatch                             Code = 14
	Overflow                                 Code = 15
	InvalidLength                            Code = 16
	ProtocolError                            Code = 17
	AuthenticationFailed                     Code = 18
	IllegalOperation                         Code = 20
	InvalidBSON                              Code = 22
	AlreadyInitialized                       Code = 23
	LockTimeout                              Code = 24
	NamespaceNotFound                        Code = 26
	IndexNotFound                            Code = 27
	PathNotViable                            Code = 28
	NonExistentPath                          Code = 29
	RoleNotFound                             Code = 31
	RolesNotRelated                          Code = 32
	PrivilegeNotFound                        Code = 33
	CannotBackfillArray                      Code = 34
	ConflictingUpdateOperators               Code = 40
	CursorNotFound                           Code = 43
	NoMatchingDocument                       Code = 47
	NamespaceExists                          Code = 48
	InvalidRoleModification                  Code = 49
	MaxTimeMSExpired                         Code = 50
	DollarPrefixedFieldName                  Code = 52
	InvalidIdField                           Code = 53
	NotSingleValueField                      Code = 54
	InvalidDBRef                             Code = 55
	EmptyFieldName                           Code = 56
	DottedFieldName                          Code = 57
	CommandNotFound                          Code = 59
	WriteConcernTimeout                      Code = 64
	ImmutableField                           Code = 66
	CannotCreateIndex                        Code = 67
	IndexAlreadyExists                       Code = 68
	AuthSchemaIncompatible                   Code = 69
	InvalidOptions                           Code = 72
	InvalidNamespace                         Code = 73
	WriteConcernLegacyOK                     Code = 75
	UnknownReplWriteConcern                  Code = 79
	IndexOptionsConflict                     Code = 85
	IndexKeySpecsConflict                    Code = 86
	NetworkTimeout                           Code = 89
	ShutdownInProgress                       Code = 91
	OperationFailed                          Code = 96
	UnsatisfiableWriteConcern                Code = 100
	NotExactValueField                       Code = 111
	WriteConflict                            Code = 112
	CommandNotSupported                      Code = 115
	DocTooLargeForCapped                     Code = 116
	ConflictingOperationInProgress           Code = 117
	DocumentValidationFailure                Code = 121
	NotAReplicaSet                           Code = 123
	CommandFailed                            Code = 125
	LockNotFound                             Code = 128
	FailedToSatisfyReadPreference            Code = 133
	ReadConcernMajorityNotAvailableYet       Code = 134
	CappedPositionLost                       Code = 136
	JSInterpreterFailure                     Code = 139
	CursorInUse                              Code = 143
	ExceededMemoryLimit                      Code = 146
	IncompatibleCollationVersion             Code = 161
	DurationOverflow                         Code = 159
	CollectionIsEmpty                        Code = 162
	ViewDepthLimitExceeded                   Code = 165
	CommandNotSupportedOnView                Code = 166
	OptionNotSupportedOnView                 Code = 167
	InvalidPipelineOperator                  Code = 168
	TooManyMatchingDocuments                 Code = 170
	CannotIndexParallelArrays                Code = 171
	QueryPlanKilled                          Code = 175
	AmbiguousIndexKeyPattern                 Code = 181
	InvalidViewDefinition                    Code = 182
	ClientMetadataMissingField               Code = 183
	ClientMetadataAppNameTooLarge            Code = 184
	ClientMetadataDocumentTooLarge           Code = 185
	ClientMetadataCannotBeMutated            Code = 186
	LinearizableReadConcernError             Code = 187
	PrimarySteppedDown                       Code = 189
	FailPointEnabled                         Code = 192
	ViewPipelineMaxSizeExceeded              Code = 195
	InvalidIndexSpecificationOption          Code = 197
	CannotBuildIndexKeys                     Code = 201
	NetworkInterfaceExceededTimeLimit        Code = 202
	NoSuchSession                            Code = 206
	InvalidUUID                              Code = 207
	StaleClusterTime                         Code = 209
	KeyNotFound                              Code = 211
	DatabaseDropPending                      Code = 215
	ElectionInProgress                       Code = 216
	IncompleteTransactionHistory             Code = 217
	UpdateOperationFailed                    Code = 218
	CloseChangeStream                        Code = 222
	IllegalOpMsgFlag                         Code = 223
	QueryFeatureNotAllowed                   Code = 224
	TransactionTooOld                        Code = 225
	AtomicityFailure                         Code = 226
	MaxSubPipelineDepthExceeded              Code = 232
	TooManyDocumentSequences                 Code = 233
	RetryChangeStream                        Code = 234
	InternalErrorNotSupported                Code = 235
	CursorKilled                             Code = 237
	NotImplemented                           Code = 238
	SnapshotTooOld                           Code = 239
	ConversionFailure                        Code = 241
	CannotCreateCollection                   Code = 242
	SnapshotUnavailable                      Code = 246
	NoSuchTransaction                        Code = 251
	TransactionCommitted                     Code = 256
	TransactionTooLarge                      Code = 257
	UnknownFeatureCompatibilityVersion       Code = 258
	InvalidResumeToken                       Code = 260
	TooManyLogicalSessions                   Code = 261
	ExceededTimeLimit                        Code = 262
	OperationNotSupportedInTransaction       Code = 263
	FailPointSetFailed                       Code = 266
	PreparedTransactionInProgress            Code = 267
	JSInterpreterFailureWithStack            Code = 271
	IndexBuildAborted                        Code = 276
	UnsatisfiableCommitQuorum                Code = 278
	ClientDisconnect                         Code = 279
	ChangeStreamFatalError                   Code = 280
	ChangeStreamHistoryLost                  Code = 286
	ChecksumMismatch                         Code = 288
	TransactionExceededLifetimeLimitSeconds  Code = 290
	NoQueryExecutionPlans                    Code = 291
	QueryExceededMemoryLimitNoDiskUseAllowed Code = 292
	ObjectIsBusy                             Code = 314
	APIVersionError                          Code = 322
	APIStrictError                           Code = 323
	APIDeprecationError                      Code = 324
	MechanismUnavailable                     Code = 334
	ChangeStreamInvalidated                  Code = 346
	APIMismatchError                         Code = 347
	ChangeStreamStartAfterInvalidate         Code = 351
	UnsupportedOpQueryCommand                Code = 352
	TxnRetryCounterTooOld                    Code = 356
	InvalidBSONType                          Code = 357
	CannotConvertIndexToUnique               Code = 359
	CollectionUUIDMismatch                   Code = 361
	TemporarilyUnavailable                   Code = 365
	UserWritesBlocked                        Code = 371
	ChangeStreamNotEnabled                   Code = 376
	NonConformantBSON                        Code = 378
	TransactionTooLargeForCache              Code = 388
	ResourceExhausted                        Code = 402
	NotWritablePrimary                       Code = 10107
	BSONObjectTooLarge                       Code = 10334
	DuplicateKey                             Code = 11000
	InterruptedAtShutdown                    Code = 11600
	Interrupted                              Code = 11601
	InterruptedDueToReplStateChange          Code = 11602
	MergeStageNoMatchingDocument             Code = 13113
	DatabaseDifferCase                       Code = 13297
	StaleConfig                              Code = 13388
	NotPrimaryNoSecondaryOk                  Code = 13435
	NotPrimaryOrSecondary                    Code = 13436
	OutOfDiskSpace                           Code = 14031
	KeyTooLong                               Code = 17280
	ClientMarkedKilled                       Code = 46841
	NotARetryableWriteCommand                Code = 50768
)

// String is the code's name as replies carry it in codeName.
func (c Code) String() string {
	if name, ok := names[c]; ok {
		return name
	}
	return "Location" + strconv.Itoa(int(c))
}

var names = map[Code]string{
	InternalError:                            "InternalError",
	BadValue:                                 "BadValue",
	NoSuchKey:                                "NoSuchKey",
	GraphContainsCycle:                       "GraphContainsCycle",
	HostUnreachable:                          "HostUnreachable",
	HostNotFound:                             "HostNotFound",
	UnknownError:                             "UnknownError",
	FailedToParse:                            "FailedToParse",
	CannotMutateObject:                       "CannotMutateObject",
	UserNotFound:                             "UserNotFound",
	UnsupportedFormat:                        "UnsupportedFormat",
	Unauthorized:                             "Unauthorized",
	TypeMismatch:                             "TypeMismatch",
	Overflow:                                 "Overflow",
	InvalidLength:                            "InvalidLength",
	ProtocolError:                            "ProtocolError",
	AuthenticationFailed:                     "AuthenticationFailed",
	IllegalOperation:                         "IllegalOperation",
	InvalidBSON:                              "InvalidBSON",
	AlreadyInitialized:                       "AlreadyInitialized",
	LockTimeout:                              "LockTimeout",
	NamespaceNotFound:                        "NamespaceNotFound",
	IndexNotFound:                            "IndexNotFound",
	PathNotViable:                            "PathNotViable",
	NonExistentPath:                          "NonExistentPath",
	RoleNotFound:                             "RoleNotFound",
	RolesNotRelated:                          "RolesNotRelated",
	PrivilegeNotFound:                        "PrivilegeNotFound",
	CannotBackfillArray:                      "CannotBackfillArray",
	ConflictingUpdateOperators:               "ConflictingUpdateOperators",
	CursorNotFound:                           "CursorNotFound",
	NoMatchingDocument:                       "NoMatchingDocument",
	NamespaceExists:                          "NamespaceExists",
	InvalidRoleModification:                  "InvalidRoleModification",
	MaxTimeMSExpired:                         "MaxTimeMSExpired",
	DollarPrefixedFieldName:                  "DollarPrefixedFieldName",
	InvalidIdField:                           "InvalidIdField",
	NotSingleValueField:                      "NotSingleValueField",
	InvalidDBRef:                             "InvalidDBRef",
	EmptyFieldName:                           "EmptyFieldName",
	DottedFieldName:                          "DottedFieldName",
	CommandNotFound:                          "CommandNotFound",
	WriteConcernTimeout:                      "WriteConcernTimeout",
	ImmutableField:                           "ImmutableField",
	CannotCreateIndex:                        "CannotCreateIndex",
	IndexAlreadyExists:                       "IndexAlreadyExists",
	AuthSchemaIncompatible:                   "AuthSchemaIncompatible",
	InvalidOptions:                           "InvalidOptions",
	InvalidNamespace:                         "InvalidNamespace",
	WriteConcernLegacyOK:                     "WriteConcernLegacyOK",
	UnknownReplWriteConcern:                  "UnknownReplWriteConcern",
	IndexOptionsConflict:                     "IndexOptionsConflict",
	IndexKeySpecsConflict:                    "IndexKeySpecsConflict",
	NetworkTimeout:                           "NetworkTimeout",
	ShutdownInProgress:                       "ShutdownInProgress",
	OperationFailed:                          "OperationFailed",
	UnsatisfiableWriteConcern:                "UnsatisfiableWriteConcern",
	NotExactValueField:                       "NotExactValueField",
	WriteConflict:                            "WriteConflict",
	CommandNotSupported:                      "CommandNotSupported",
	DocTooLargeForCapped:                     "DocTooLargeForCapped",
	ConflictingOperationInProgress:           "ConflictingOperationInProgress",
	DocumentValidationFailure:                "DocumentValidationFailure",
	NotAReplicaSet:                           "NotAReplicaSet",
	CommandFailed:                            "CommandFailed",
	LockNotFound:                             "LockNotFound",
	FailedToSatisfyReadPreference:            "FailedToSatisfyReadPreference",
	ReadConcernMajorityNotAvailableYet:       "ReadConcernMajorityNotAvailableYet",
	CappedPositionLost:                       "CappedPositionLost",
	JSInterpreterFailure:                     "JSInterpreterFailure",
	CursorInUse:                              "CursorInUse",
	ExceededMemoryLimit:                      "ExceededMemoryLimit",
	DurationOverflow:                         "DurationOverflow",
	CollectionIsEmpty:                        "CollectionIsEmpty",
	ViewDepthLimitExceeded:                   "ViewDepthLimitExceeded",
	CommandNotSupportedOnView:                "CommandNotSupportedOnView",
	OptionNotSupportedOnView:                 "OptionNotSupportedOnView",
	InvalidPipelineOperator:                  "InvalidPipelineOperator",
	TooManyMatchingDocuments:                 "TooManyMatchingDocuments",
	CannotIndexParallelArrays:                "CannotIndexParallelArrays",
	QueryPlanKilled:                          "QueryPlanKilled",
	AmbiguousIndexKeyPattern:                 "AmbiguousIndexKeyPattern",
	InvalidViewDefinition:                    "InvalidViewDefinition",
	ClientMetadataMissingField:               "ClientMetadataMissingField",
	ClientMetadataAppNameTooLarge:            "ClientMetadataAppNameTooLarge",
	ClientMetadataDocumentTooLarge:           "ClientMetadataDocumentTooLarge",
	ClientMetadataCannotBeMutated:            "ClientMetadataCannotBeMutated",
	LinearizableReadConcernError:             "LinearizableReadConcernError",
	PrimarySteppedDown:                       "PrimarySteppedDown",
	FailPointEnabled:                         "FailPointEnabled",
	ViewPipelineMaxSizeExceeded:              "ViewPipelineMaxSizeExceeded",
	InvalidIndexSpecificationOption:          "InvalidIndexSpecificationOption",
	CannotBuildIndexKeys:                     "CannotBuildIndexKeys",
	NetworkInterfaceExceededTimeLimit:        "NetworkInterfaceExceededTimeLimit",
	NoSuchSession:                            "NoSuchSession",
	InvalidUUID:                              "InvalidUUID",
	StaleClusterTime:                         "StaleClusterTime",
	KeyNotFound:                              "KeyNotFound",
	DatabaseDropPending:                      "DatabaseDropPending",
	ElectionInProgress:                       "ElectionInProgress",
	IncompleteTransactionHistory:             "IncompleteTransactionHistory",
	IncompatibleCollationVersion:             "IncompatibleCollationVersion",
	UpdateOperationFailed:                    "UpdateOperationFailed",
	CloseChangeStream:                        "CloseChangeStream",
	IllegalOpMsgFlag:                         "IllegalOpMsgFlag",
	QueryFeatureNotAllowed:                   "QueryFeatureNotAllowed",
	TransactionTooOld:                        "TransactionTooOld",
	AtomicityFailure:                         "AtomicityFailure",
	MaxSubPipelineDepthExceeded:              "MaxSubPipelineDepthExceeded",
	TooManyDocumentSequences:                 "TooManyDocumentSequences",
	RetryChangeStream:                        "RetryChangeStream",
	InternalErrorNotSupported:                "InternalErrorNotSupported",
	CursorKilled:                             "CursorKilled",
	NotImplemented:                           "NotImplemented",
	SnapshotTooOld:                           "SnapshotTooOld",
	ConversionFailure:                        "ConversionFailure",
	CannotCreateCollection:                   "CannotCreateCollection",
	SnapshotUnavailable:                      "SnapshotUnavailable",
	NoSuchTransaction:                        "NoSuchTransaction",
	TransactionCommitted:                     "TransactionCommitted",
	TransactionTooLarge:                      "TransactionTooLarge",
	UnknownFeatureCompatibilityVersion:       "UnknownFeatureCompatibilityVersion",
	InvalidResumeToken:                       "InvalidResumeToken",
	TooManyLogicalSessions:                   "TooManyLogicalSessions",
	ExceededTimeLimit:                        "ExceededTimeLimit",
	OperationNotSupportedInTransaction:       "OperationNotSupportedInTransaction",
	FailPointSetFailed:                       "FailPointSetFailed",
	PreparedTransactionInProgress:            "PreparedTransactionInProgress",
	JSInterpreterFailureWithStack:            "JSInterpreterFailureWithStack",
	IndexBuildAborted:                        "IndexBuildAborted",
	UnsatisfiableCommitQuorum:                "UnsatisfiableCommitQuorum",
	ClientDisconnect:                         "ClientDisconnect",
	ChangeStreamFatalError:                   "ChangeStreamFatalError",
	ChangeStreamHistoryLost:                  "ChangeStreamHistoryLost",
	ChecksumMismatch:                         "ChecksumMismatch",
	TransactionExceededLifetimeLimitSeconds:  "TransactionExceededLifetimeLimitSeconds",
	NoQueryExecutionPlans:                    "NoQueryExecutionPlans",
	QueryExceededMemoryLimitNoDiskUseAllowed: "QueryExceededMemoryLimitNoDiskUseAllowed",
	ObjectIsBusy:                             "ObjectIsBusy",
	APIVersionError:                          "APIVersionError",
	APIStrictError:                           "APIStrictError",
	APIDeprecationError:                      "APIDeprecationError",
	MechanismUnavailable:                     "MechanismUnavailable",
	ChangeStreamInvalidated:                  "ChangeStreamInvalidated",
	APIMismatchError:                         "APIMismatchError",
	ChangeStreamStartAfterInvalidate:         "ChangeStreamStartAfterInvalidate",
	UnsupportedOpQueryCommand:                "UnsupportedOpQueryCommand",
	TxnRetryCounterTooOld:                    "TxnRetryCounterTooOld",
	InvalidBSONType:                          "InvalidBSONType",
	CannotConvertIndexToUnique:               "CannotConvertIndexToUnique",
	CollectionUUIDMismatch:                   "CollectionUUIDMismatch",
	TemporarilyUnavailable:                   "TemporarilyUnavailable",
	UserWritesBlocked:                        "UserWritesBlocked",
	ChangeStreamNotEnabled:                   "ChangeStreamNotEnabled",
	NonConformantBSON:                        "NonConformantBSON",
	TransactionTooLargeForCache:              "TransactionTooLargeForCache",
	ResourceExhausted:                        "ResourceExhausted",
	NotWritablePrimary:                       "NotWritablePrimary",
	BSONObjectTooLarge:                       "BSONObjectTooLarge",
	DuplicateKey:                             "DuplicateKey",
	InterruptedAtShutdown:                    "InterruptedAtShutdown",
	Interrupted:                              "Interrupted",
	InterruptedDueToReplStateChange:          "InterruptedDueToReplStateChange",
	MergeStageNoMatchingDocument:             "MergeStageNoMatchingDocument",
	DatabaseDifferCase:                       "DatabaseDifferCase",
	StaleConfig:                              "StaleConfig",
	NotPrimaryNoSecondaryOk:                  "NotPrimaryNoSecondaryOk",
	NotPrimaryOrSecondary:                    "NotPrimaryOrSecondary",
	OutOfDiskSpace:                           "OutOfDiskSpace",
	KeyTooLong:                               "KeyTooLong",
	ClientMarkedKilled:                       "ClientMarkedKilled",
	NotARetryableWriteCommand:                "NotARetryableWriteCommand",
}
