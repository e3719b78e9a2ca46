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
	CannotReuseObject                        Code = 19
	IllegalOperation                         Code = 20
	EmptyArrayOperation                      Code = 21
	InvalidBSON                              Code = 22
	LockTimeout                              Code = 24
	NamespaceNotFound                        Code = 26
	IndexNotFound                            Code = 27
	PathNotViable                            Code = 28
	NonExistentPath                          Code = 29
	RoleNotFound                             Code = 31
	RolesNotRelated                          Code = 32
	PrivilegeNotFound                        Code = 33
	ConflictingUpdateOperators               Code = 40
	CursorNotFound                           Code = 43
	UserDataInconsistent                     Code = 45
	LockBusy                                 Code = 46
	NoMatchingDocument                       Code = 47
	NamespaceExists                          Code = 48
	MaxTimeMSExpired                         Code = 50
	ManualInterventionRequired               Code = 51
	DollarPrefixedFieldName                  Code = 52
	InvalidIdField                           Code = 53
	NotSingleValueField                      Code = 54
	InvalidDBRef                             Code = 55
	EmptyFieldName                           Code = 56
	DottedFieldName                          Code = 57
	CommandNotFound                          Code = 59
	ShardKeyNotFound                         Code = 61
	OplogOperationUnsupported                Code = 62
	ImmutableField                           Code = 66
	CannotCreateIndex                        Code = 67
	IndexAlreadyExists                       Code = 68
	AuthSchemaIncompatible                   Code = 69
	InvalidOptions                           Code = 72
	InvalidNamespace                         Code = 73
	UnknownReplWriteConcern                  Code = 79
	InitialSyncOplogSourceMissing            Code = 84
	IndexOptionsConflict                     Code = 85
	IndexKeySpecsConflict                    Code = 86
	NetworkTimeout                           Code = 89
	ShutdownInProgress                       Code = 91
	OperationFailed                          Code = 96
	UnsatisfiableWriteConcern                Code = 100
	IndexModified                            Code = 104
	LockNotFound                             Code = 107
	FailedToSatisfyReadPreference            Code = 108
	WriteConflict                            Code = 112
	CommandNotSupported                      Code = 115
	ConflictingOperationInProgress           Code = 117
	NotYetInitialized                        Code = 119
	DocumentValidationFailure                Code = 121
	NotAReplicaSet                           Code = 123
	CappedPositionLost                       Code = 127
	ViewDepthLimitExceeded                   Code = 130
	LinearizableReadConcernError             Code = 137
	ExceededMemoryLimit                      Code = 146
	InvalidViewDefinition                    Code = 160
	CommandNotSupportedOnView                Code = 166
	OptionNotSupportedOnView                 Code = 167
	InvalidPipelineOperator                  Code = 168
	CommandOnShardedViewNotSupportedOnMongod Code = 169
	PrimarySteppedDown                       Code = 189
	ElectionInProgress                       Code = 192
	InvalidIndexSpecificationOption          Code = 197
	NetworkInterfaceExceededTimeLimit        Code = 202
	NoSuchSession                            Code = 206
	KeyNotFound                              Code = 211
	IncompleteTransactionHistory             Code = 217
	CloseChangeStream                        Code = 222
	ClientMarkedKilled                       Code = 223
	DocumentTooLargeForCapped                Code = 224
	TransactionTooOld                        Code = 225
	NodeNotFound                             Code = 229
	IllegalOpMsgFlag                         Code = 230
	RetryChangeStream                        Code = 234
	CursorKilled                             Code = 237
	NotImplemented                           Code = 238
	ConversionFailure                        Code = 241
	TransactionAborted                       Code = 244
	SnapshotUnavailable                      Code = 246
	ProducerConsumerQueueBatchTooLarge       Code = 249
	NoSuchTransaction                        Code = 251
	TransactionCommitted                     Code = 256
	TransactionTooLarge                      Code = 257
	InvalidResumeToken                       Code = 260
	ExceededTimeLimit                        Code = 262
	OperationNotSupportedInTransaction       Code = 263
	PreparedTransactionInProgress            Code = 267
	OperationNotSupportedOnUnacknowledged    Code = 273
	IndexBuildAborted                        Code = 276
	InvalidSSLConfiguration                  Code = 278
	ChangeStreamFatalError                   Code = 280
	ChangeStreamHistoryLost                  Code = 286
	NoQueryExecutionPlans                    Code = 291
	QueryExceededMemoryLimitNoDiskUseAllowed Code = 292
	IllegalChangeToExpectedShardVersion      Code = 296
	APIVersionError                          Code = 303
	APIStrictError                           Code = 304
	APIDeprecationError                      Code = 305
	TxnRetryCounterTooOld                    Code = 310
	APIMismatchError                         Code = 323
	ChangeStreamStartAfterInvalidate         Code = 328
	ChangeStreamInvalidated                  Code = 331
	UnsupportedOpQueryCommand                Code = 334
	ServerlessOnlyOperation                  Code = 351
	UpdatesStillPending                      Code = 373
	BSONObjectTooLargeForUser                Code = 413
	CannotConvertToCapped                    Code = 10003
	NotWritablePrimary                       Code = 10107
	BSONObjectTooLarge                       Code = 10334
	DuplicateKey                             Code = 11000
	InterruptedAtShutdown                    Code = 11600
	Interrupted                              Code = 11601
	InterruptedDueToReplStateChange          Code = 11602
	DatabaseDifferCase                       Code = 13297
	StaleConfig                              Code = 13388
	NotPrimaryNoSecondaryOk                  Code = 13435
	NotPrimaryOrSecondary                    Code = 13436
	OutOfDiskSpace                           Code = 14031
	KeyTooLong                               Code = 17280
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
	CannotReuseObject:                        "CannotReuseObject",
	IllegalOperation:                         "IllegalOperation",
	EmptyArrayOperation:                      "EmptyArrayOperation",
	InvalidBSON:                              "InvalidBSON",
	LockTimeout:                              "LockTimeout",
	NamespaceNotFound:                        "NamespaceNotFound",
	IndexNotFound:                            "IndexNotFound",
	PathNotViable:                            "PathNotViable",
	NonExistentPath:                          "NonExistentPath",
	RoleNotFound:                             "RoleNotFound",
	RolesNotRelated:                          "RolesNotRelated",
	PrivilegeNotFound:                        "PrivilegeNotFound",
	ConflictingUpdateOperators:               "ConflictingUpdateOperators",
	CursorNotFound:                           "CursorNotFound",
	UserDataInconsistent:                     "UserDataInconsistent",
	LockBusy:                                 "LockBusy",
	NoMatchingDocument:                       "NoMatchingDocument",
	NamespaceExists:                          "NamespaceExists",
	MaxTimeMSExpired:                         "MaxTimeMSExpired",
	ManualInterventionRequired:               "ManualInterventionRequired",
	DollarPrefixedFieldName:                  "DollarPrefixedFieldName",
	InvalidIdField:                           "InvalidIdField",
	NotSingleValueField:                      "NotSingleValueField",
	InvalidDBRef:                             "InvalidDBRef",
	EmptyFieldName:                           "EmptyFieldName",
	DottedFieldName:                          "DottedFieldName",
	CommandNotFound:                          "CommandNotFound",
	ShardKeyNotFound:                         "ShardKeyNotFound",
	OplogOperationUnsupported:                "OplogOperationUnsupported",
	ImmutableField:                           "ImmutableField",
	CannotCreateIndex:                        "CannotCreateIndex",
	IndexAlreadyExists:                       "IndexAlreadyExists",
	AuthSchemaIncompatible:                   "AuthSchemaIncompatible",
	InvalidOptions:                           "InvalidOptions",
	InvalidNamespace:                         "InvalidNamespace",
	UnknownReplWriteConcern:                  "UnknownReplWriteConcern",
	InitialSyncOplogSourceMissing:            "InitialSyncOplogSourceMissing",
	IndexOptionsConflict:                     "IndexOptionsConflict",
	IndexKeySpecsConflict:                    "IndexKeySpecsConflict",
	NetworkTimeout:                           "NetworkTimeout",
	ShutdownInProgress:                       "ShutdownInProgress",
	OperationFailed:                          "OperationFailed",
	UnsatisfiableWriteConcern:                "UnsatisfiableWriteConcern",
	IndexModified:                            "IndexModified",
	LockNotFound:                             "LockNotFound",
	FailedToSatisfyReadPreference:            "FailedToSatisfyReadPreference",
	WriteConflict:                            "WriteConflict",
	CommandNotSupported:                      "CommandNotSupported",
	ConflictingOperationInProgress:           "ConflictingOperationInProgress",
	NotYetInitialized:                        "NotYetInitialized",
	DocumentValidationFailure:                "DocumentValidationFailure",
	NotAReplicaSet:                           "NotAReplicaSet",
	CappedPositionLost:                       "CappedPositionLost",
	ViewDepthLimitExceeded:                   "ViewDepthLimitExceeded",
	LinearizableReadConcernError:             "LinearizableReadConcernError",
	ExceededMemoryLimit:                      "ExceededMemoryLimit",
	InvalidViewDefinition:                    "InvalidViewDefinition",
	CommandNotSupportedOnView:                "CommandNotSupportedOnView",
	OptionNotSupportedOnView:                 "OptionNotSupportedOnView",
	InvalidPipelineOperator:                  "InvalidPipelineOperator",
	CommandOnShardedViewNotSupportedOnMongod: "CommandOnShardedViewNotSupportedOnMongod",
	PrimarySteppedDown:                       "PrimarySteppedDown",
	ElectionInProgress:                       "ElectionInProgress",
	InvalidIndexSpecificationOption:          "InvalidIndexSpecificationOption",
	NetworkInterfaceExceededTimeLimit:        "NetworkInterfaceExceededTimeLimit",
	NoSuchSession:                            "NoSuchSession",
	KeyNotFound:                              "KeyNotFound",
	IncompleteTransactionHistory:             "IncompleteTransactionHistory",
	CloseChangeStream:                        "CloseChangeStream",
	ClientMarkedKilled:                       "ClientMarkedKilled",
	DocumentTooLargeForCapped:                "DocumentTooLargeForCapped",
	TransactionTooOld:                        "TransactionTooOld",
	NodeNotFound:                             "NodeNotFound",
	IllegalOpMsgFlag:                         "IllegalOpMsgFlag",
	RetryChangeStream:                        "RetryChangeStream",
	CursorKilled:                             "CursorKilled",
	NotImplemented:                           "NotImplemented",
	ConversionFailure:                        "ConversionFailure",
	TransactionAborted:                       "TransactionAborted",
	SnapshotUnavailable:                      "SnapshotUnavailable",
	ProducerConsumerQueueBatchTooLarge:       "ProducerConsumerQueueBatchTooLarge",
	NoSuchTransaction:                        "NoSuchTransaction",
	TransactionCommitted:                     "TransactionCommitted",
	TransactionTooLarge:                      "TransactionTooLarge",
	InvalidResumeToken:                       "InvalidResumeToken",
	ExceededTimeLimit:                        "ExceededTimeLimit",
	OperationNotSupportedInTransaction:       "OperationNotSupportedInTransaction",
	PreparedTransactionInProgress:            "PreparedTransactionInProgress",
	OperationNotSupportedOnUnacknowledged:    "OperationNotSupportedOnUnacknowledged",
	IndexBuildAborted:                        "IndexBuildAborted",
	InvalidSSLConfiguration:                  "InvalidSSLConfiguration",
	ChangeStreamFatalError:                   "ChangeStreamFatalError",
	ChangeStreamHistoryLost:                  "ChangeStreamHistoryLost",
	NoQueryExecutionPlans:                    "NoQueryExecutionPlans",
	QueryExceededMemoryLimitNoDiskUseAllowed: "QueryExceededMemoryLimitNoDiskUseAllowed",
	IllegalChangeToExpectedShardVersion:      "IllegalChangeToExpectedShardVersion",
	APIVersionError:                          "APIVersionError",
	APIStrictError:                           "APIStrictError",
	APIDeprecationError:                      "APIDeprecationError",
	TxnRetryCounterTooOld:                    "TxnRetryCounterTooOld",
	APIMismatchError:                         "APIMismatchError",
	ChangeStreamStartAfterInvalidate:         "ChangeStreamStartAfterInvalidate",
	ChangeStreamInvalidated:                  "ChangeStreamInvalidated",
	UnsupportedOpQueryCommand:                "UnsupportedOpQueryCommand",
	ServerlessOnlyOperation:                  "ServerlessOnlyOperation",
	UpdatesStillPending:                      "UpdatesStillPending",
	BSONObjectTooLargeForUser:                "BSONObjectTooLargeForUser",
	CannotConvertToCapped:                    "CannotConvertToCapped",
	NotWritablePrimary:                       "NotWritablePrimary",
	BSONObjectTooLarge:                       "BSONObjectTooLarge",
	DuplicateKey:                             "DuplicateKey",
	InterruptedAtShutdown:                    "InterruptedAtShutdown",
	Interrupted:                              "Interrupted",
	InterruptedDueToReplStateChange:          "InterruptedDueToReplStateChange",
	DatabaseDifferCase:                       "DatabaseDifferCase",
	StaleConfig:                              "StaleConfig",
	NotPrimaryNoSecondaryOk:                  "NotPrimaryNoSecondaryOk",
	NotPrimaryOrSecondary:                    "NotPrimaryOrSecondary",
	OutOfDiskSpace:                           "OutOfDiskSpace",
	KeyTooLong:                               "KeyTooLong",
}
