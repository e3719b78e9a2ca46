"""The exception class of each SQLSTATE, by the names that psycopg2.errors gives them.

Source: PostgreSQL's appendix "Error Codes" (up to version 17, as psycopg2 2.9.13), class names in camel case.
"""

from .errors import (
    DatabaseError, DataError, IntegrityError, InternalError, NotSupportedError, OperationalError, ProgrammingError,
    QueryCanceledError, TransactionRollbackError)

_BASES = {  # the first two characters of the code; others are DatabaseError
    NotSupportedError: '0A', DataError: '22', IntegrityError: '23', TransactionRollbackError: '40',
    OperationalError: '08 26 27 28 34 53 54 55 57 58 HV',
    ProgrammingError: '20 21 3D 3F 42 44',
    InternalError: '24 25 2B 2D 2F 38 39 3B F0 P0 XX',
}
_BASE_OF = {prefix: base for base, prefixes in _BASES.items() for prefix in prefixes.split()}

_NAMES = {  # class of codes: the rest of the code, then the name
    '02': '000 NoData 001 NoAdditionalDynamicResultSetsReturned',
    '03': '000 SqlStatementNotYetComplete',
    '08': (
        '000 ConnectionException 001 SqlclientUnableToEstablishSqlconnection 003 ConnectionDoesNotExist '
        '004 SqlserverRejectedEstablishmentOfSqlconnection 006 ConnectionFailure 007 TransactionResolutionUnknown '
        'P01 ProtocolViolation'),
    '09': '000 TriggeredActionException',
    '0A': '000 FeatureNotSupported',
    '0B': '000 InvalidTransactionInitiation',
    '0F': '000 LocatorException 001 InvalidLocatorSpecification',
    '0L': '000 InvalidGrantor P01 InvalidGrantOperation',
    '0P': '000 InvalidRoleSpecification',
    '0Z': '000 DiagnosticsException 002 StackedDiagnosticsAccessedWithoutActiveHandler',
    '10': '608 InvalidArgumentForXquery',
    '20': '000 CaseNotFound',
    '21': '000 CardinalityViolation',
    '22': (
        '000 DataException 001 StringDataRightTruncation 002 NullValueNoIndicatorParameter '
        '003 NumericValueOutOfRange 004 NullValueNotAllowed 005 ErrorInAssignment 007 InvalidDatetimeFormat '
        '008 DatetimeFieldOverflow 009 InvalidTimeZoneDisplacementValue 00B EscapeCharacterConflict '
        '00C InvalidUseOfEscapeCharacter 00D InvalidEscapeOctet 00F ZeroLengthCharacterString '
        '00G MostSpecificTypeMismatch 00H SequenceGeneratorLimitExceeded 00L NotAnXmlDocument '
        '00M InvalidXmlDocument 00N InvalidXmlContent 00S InvalidXmlComment 00T InvalidXmlProcessingInstruction '
        '010 InvalidIndicatorParameterValue 011 SubstringError 012 DivisionByZero '
        '013 InvalidPrecedingOrFollowingSize 014 InvalidArgumentForNtileFunction 015 IntervalFieldOverflow '
        '016 InvalidArgumentForNthValueFunction 018 InvalidCharacterValueForCast 019 InvalidEscapeCharacter '
        '01B InvalidRegularExpression 01E InvalidArgumentForLogarithm 01F InvalidArgumentForPowerFunction '
        '01G InvalidArgumentForWidthBucketFunction 01W InvalidRowCountInLimitClause '
        '01X InvalidRowCountInResultOffsetClause 021 CharacterNotInRepertoire 022 IndicatorOverflow '
        '023 InvalidParameterValue 024 UnterminatedCString 025 InvalidEscapeSequence 026 StringDataLengthMismatch '
        '027 TrimError 02E ArraySubscriptError 02G InvalidTablesampleRepeat 02H InvalidTablesampleArgument '
        '030 DuplicateJsonObjectKeyValue 031 InvalidArgumentForSqlJsonDatetimeFunction 032 InvalidJsonText '
        '033 InvalidSqlJsonSubscript 034 MoreThanOneSqlJsonItem 035 NoSqlJsonItem 036 NonNumericSqlJsonItem '
        '037 NonUniqueKeysInAJsonObject 038 SingletonSqlJsonItemRequired 039 SqlJsonArrayNotFound '
        '03A SqlJsonMemberNotFound 03B SqlJsonNumberNotFound 03C SqlJsonObjectNotFound '
        '03D TooManyJsonArrayElements 03E TooManyJsonObjectMembers 03F SqlJsonScalarRequired '
        '03G SqlJsonItemCannotBeCastToTargetType P01 FloatingPointException P02 InvalidTextRepresentation '
        'P03 InvalidBinaryRepresentation P04 BadCopyFileFormat P05 UntranslatableCharacter '
        'P06 NonstandardUseOfEscapeCharacter'),
    '23': (
        '000 IntegrityConstraintViolation 001 RestrictViolation 502 NotNullViolation 503 ForeignKeyViolation '
        '505 UniqueViolation 514 CheckViolation P01 ExclusionViolation'),
    '24': '000 InvalidCursorState',
    '25': (
        '000 InvalidTransactionState 001 ActiveSqlTransaction 002 BranchTransactionAlreadyActive '
        '003 InappropriateAccessModeForBranchTransaction 004 InappropriateIsolationLevelForBranchTransaction '
        '005 NoActiveSqlTransactionForBranchTransaction 006 ReadOnlySqlTransaction '
        '007 SchemaAndDataStatementMixingNotSupported 008 HeldCursorRequiresSameIsolationLevel '
        'P01 NoActiveSqlTransaction P02 InFailedSqlTransaction P03 IdleInTransactionSessionTimeout '
        'P04 TransactionTimeout'),
    '26': '000 InvalidSqlStatementName',
    '27': '000 TriggeredDataChangeViolation',
    '28': '000 InvalidAuthorizationSpecification P01 InvalidPassword',
    '2B': '000 DependentPrivilegeDescriptorsStillExist P01 DependentObjectsStillExist',
    '2D': '000 InvalidTransactionTermination',
    '2F': (
        '000 SqlRoutineException 002 ModifyingSqlDataNotPermitted 003 ProhibitedSqlStatementAttempted '
        '004 ReadingSqlDataNotPermitted 005 FunctionExecutedNoReturnStatement'),
    '34': '000 InvalidCursorName',
    '38': (
        '000 ExternalRoutineException 001 ContainingSqlNotPermitted 002 ModifyingSqlDataNotPermittedExt '
        '003 ProhibitedSqlStatementAttemptedExt 004 ReadingSqlDataNotPermittedExt'),
    '39': (
        '000 ExternalRoutineInvocationException 001 InvalidSqlstateReturned 004 NullValueNotAllowedExt '
        'P01 TriggerProtocolViolated P02 SrfProtocolViolated P03 EventTriggerProtocolViolated'),
    '3B': '000 SavepointException 001 InvalidSavepointSpecification',
    '3D': '000 InvalidCatalogName',
    '3F': '000 InvalidSchemaName',
    '40': (
        '000 TransactionRollback 001 SerializationFailure 002 TransactionIntegrityConstraintViolation '
        '003 StatementCompletionUnknown P01 DeadlockDetected'),
    '42': (
        '000 SyntaxErrorOrAccessRuleViolation 501 InsufficientPrivilege 601 SyntaxError 602 InvalidName '
        '611 InvalidColumnDefinition 622 NameTooLong 701 DuplicateColumn 702 AmbiguousColumn 703 UndefinedColumn '
        '704 UndefinedObject 710 DuplicateObject 712 DuplicateAlias 723 DuplicateFunction 725 AmbiguousFunction '
        '803 GroupingError 804 DatatypeMismatch 809 WrongObjectType 830 InvalidForeignKey 846 CannotCoerce '
        '883 UndefinedFunction 8C9 GeneratedAlways 939 ReservedName P01 UndefinedTable P02 UndefinedParameter '
        'P03 DuplicateCursor P04 DuplicateDatabase P05 DuplicatePreparedStatement P06 DuplicateSchema '
        'P07 DuplicateTable P08 AmbiguousParameter P09 AmbiguousAlias P10 InvalidColumnReference '
        'P11 InvalidCursorDefinition P12 InvalidDatabaseDefinition P13 InvalidFunctionDefinition '
        'P14 InvalidPreparedStatementDefinition P15 InvalidSchemaDefinition P16 InvalidTableDefinition '
        'P17 InvalidObjectDefinition P18 IndeterminateDatatype P19 InvalidRecursion P20 WindowingError '
        'P21 CollationMismatch P22 IndeterminateCollation'),
    '44': '000 WithCheckOptionViolation',
    '53': (
        '000 InsufficientResources 100 DiskFull 200 OutOfMemory 300 TooManyConnections '
        '400 ConfigurationLimitExceeded'),
    '54': '000 ProgramLimitExceeded 001 StatementTooComplex 011 TooManyColumns 023 TooManyArguments',
    '55': (
        '000 ObjectNotInPrerequisiteState 006 ObjectInUse P02 CantChangeRuntimeParam P03 LockNotAvailable '
        'P04 UnsafeNewEnumValueUsage'),
    '57': (
        '000 OperatorIntervention 014 QueryCanceled P01 AdminShutdown P02 CrashShutdown P03 CannotConnectNow '
        'P04 DatabaseDropped P05 IdleSessionTimeout'),
    '58': '000 SystemError 030 IoError P01 UndefinedFile P02 DuplicateFile P03 FileNameTooLong',
    '72': '000 SnapshotTooOld',
    'F0': '000 ConfigFileError 001 LockFileExists',
    'HV': (
        '000 FdwError 001 FdwOutOfMemory 002 FdwDynamicParameterValueNeeded 004 FdwInvalidDataType '
        '005 FdwColumnNameNotFound 006 FdwInvalidDataTypeDescriptors 007 FdwInvalidColumnName '
        '008 FdwInvalidColumnNumber 009 FdwInvalidUseOfNullPointer 00A FdwInvalidStringFormat '
        '00B FdwInvalidHandle 00C FdwInvalidOptionIndex 00D FdwInvalidOptionName 00J FdwOptionNameNotFound '
        '00K FdwReplyHandle 00L FdwUnableToCreateExecution 00M FdwUnableToCreateReply '
        '00N FdwUnableToEstablishConnection 00P FdwNoSchemas 00Q FdwSchemaNotFound 00R FdwTableNotFound '
        '010 FdwFunctionSequenceError 014 FdwTooManyHandles 021 FdwInconsistentDescriptorInformation '
        '024 FdwInvalidAttributeValue 090 FdwInvalidStringLengthOrBufferLength '
        '091 FdwInvalidDescriptorFieldIdentifier'),
    'P0': '000 PlpgsqlError 001 RaiseException 002 NoDataFound 003 TooManyRows 004 AssertFailure',
    'XX': '000 InternalError_ 001 DataCorrupted 002 IndexCorrupted',
}

QUERY_CANCELED = '57014'


def base_class(code):
    """The DB-API class for a SQLSTATE that has no class of its own."""
    return QueryCanceledError if code == QUERY_CANCELED else _BASE_OF.get(code[:2], DatabaseError)


def _classes():
    found = {}
    for prefix, text in _NAMES.items():
        words = text.split()
        for rest, name in zip(words[::2], words[1::2]):
            code = prefix + rest
            found[code] = type(name, (base_class(code),), {'__module__': 'psycopg2.errors'})
    return found


BY_CODE = _classes()


def class_for(code):
    """The exception class to raise for a SQLSTATE of five characters."""
    return BY_CODE.get(code) or base_class(code)
