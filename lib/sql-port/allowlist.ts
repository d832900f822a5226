/**
 * What a reader of the ClickHouse port may name besides functions. Whatever is not here is refused.
 */

const setOf = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Kinds of nodes of a question; anything else is not a question, or not known to be harmless. */
export const NODES = setOf(`
  SelectWithUnionQuery SelectQuery SelectIntersectExceptQuery Subquery ExpressionList WithElement Set
  TablesInSelectQuery TablesInSelectQueryElement TableExpression TableIdentifier TableJoin ArrayJoin SampleRatio
  Function Identifier Literal DataType Asterisk QualifiedAsterisk ColumnsRegexpMatcher ColumnsListMatcher
  QualifiedColumnsRegexpMatcher QualifiedColumnsListMatcher ColumnsTransformerList ColumnsExceptTransformer
  ColumnsReplaceTransformer ColumnsReplaceTransformer::Replacement OrderByElement InterpolateElement
  WindowListElement WindowDefinition`)

/** What a statement may be, by the type of its first node. */
export const QUESTIONS = setOf(`
  SelectWithUnionQuery SelectQuery SelectIntersectExceptQuery Explain DescribeQuery ExistsTableQuery ExistsViewQuery
  ExistsDatabaseQuery ShowTables ShowColumns ShowCreateTableQuery ShowCreateViewQuery ShowFunctions ShowEngineQuery`)

/** EXPLAIN of a question; `EXPLAIN TABLE OVERRIDE` and transactions are others. */
export const EXPLAINS = setOf(`
  EXPLAIN EXPLAIN_AST EXPLAIN_SYNTAX EXPLAIN_QUERY_TREE EXPLAIN_PIPELINE EXPLAIN_ESTIMATE`)

/** Table functions that make rows of their own and read none of anybody else. */
export const TABLE_FUNCTIONS = setOf(`
  numbers numbers_mt zeros zeros_mt generateSeries generate_series values view null`)

/**
 * Tables of `system` whose columns say nothing of this machine, of queries or of other callers; see
 * HIDDEN_COLUMNS.
 */
export const SYSTEM_TABLES = setOf(`
  one numbers numbers_mt zeros zeros_mt databases tables columns functions table_functions data_type_families formats
  keywords collations time_zones contributors aggregate_function_combinators table_engines database_engines
  data_skipping_indices data_skipping_index_types settings merge_tree_settings`)

/**
 * Columns of those tables that hold paths of this machine: a statement on such a table must not
 * name one, nor say \`*\`.
 */
export const HIDDEN_COLUMNS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['tables', setOf('data_paths metadata_path')],
  ['databases', setOf('data_path metadata_path')],
])

/** Views of the standard over \`system.tables\` and \`system.columns\`. */
export const INFORMATION_TABLES = setOf(`tables columns schemata views key_column_usage
  referential_constraints statistics`)

/** Formats in which an answer may be printed. */
export const FORMATS = setOf(`
  JSON JSONCompact JSONStrings JSONCompactStrings JSONColumns JSONCompactColumns JSONColumnsWithMetadata JSONEachRow
  JSONStringsEachRow JSONCompactEachRow JSONCompactEachRowWithNames JSONCompactEachRowWithNamesAndTypes
  JSONCompactStringsEachRow JSONCompactStringsEachRowWithNames JSONCompactStringsEachRowWithNamesAndTypes
  JSONEachRowWithProgress JSONStringsEachRowWithProgress JSONObjectEachRow JSONLines NDJSON
  CSV CSVWithNames CSVWithNamesAndTypes TSKV TSV TSVRaw TSVWithNames TSVWithNamesAndTypes TabSeparated TabSeparatedRaw
  TabSeparatedWithNames TabSeparatedWithNamesAndTypes TabSeparatedRawWithNames TabSeparatedRawWithNamesAndTypes
  Native RowBinary RowBinaryWithNames RowBinaryWithNamesAndTypes RowBinaryWithDefaults Arrow ArrowStream Parquet ORC
  MsgPack Values Vertical VerticalRaw XML Markdown SQLInsert Null RawBLOB
  Pretty PrettyCompact PrettyCompactMonoBlock PrettySpace PrettyNoEscapes PrettyCompactNoEscapes PrettyMonoBlock`)

/**
 * Settings of a SETTINGS clause that change how a question is answered, not what it may reach or
 * use.
 */
export const SETTINGS = setOf(`
  max_threads max_execution_time max_result_rows max_rows_to_read max_block_size limit offset join_use_nulls
  group_by_use_nulls final join_algorithm prefer_column_name_to_alias extremes transform_null_in
  empty_result_for_aggregation_by_empty_set aggregate_functions_null_for_empty enable_analyzer
  output_format_json_quote_64bit_integers output_format_json_quote_denormals
  output_format_json_named_tuples_as_objects output_format_decimal_trailing_zeros date_time_output_format
  session_timezone optimize_read_in_order optimize_move_to_prewhere union_default_mode describe_compact_output
  describe_include_subcolumns log_comment result_overflow_mode read_overflow_mode`)

/** Settings whose value is a bound: a reader may lower it, and asks for at most this. */
export const HIGHEST: ReadonlyMap<string, number> = new Map([
  ['max_threads', 2],
  ['max_execution_time', 30],
  ['max_result_rows', 5_000_000],
  ['max_block_size', 65_536],
])

/** Words that may stand before a parenthesis and are no functions. */
export const BEFORE_PARENTHESIS = setOf(`
  select distinct on all from join using where prewhere having qualify by and or not in as with over when then else case
  union except intersect replace columns exists any some limit offset filter fill to interpolate sets rollup cube
  describe table between like ilike is global semi anti left right inner outer full cross array explain plan pipeline
  syntax ast tree estimate top values div mod interval rows range groups settings final sample window end asc desc
  recursive materialized`)
