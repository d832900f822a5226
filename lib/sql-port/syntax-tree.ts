/** The lines of ClickHouse's `EXPLAIN AST` as a tree. */
export interface SqlNode {
  /** Such as `Function`, `TableIdentifier` or `SelectQuery`. */
  type: string
  /** What stands behind the type: a function's name, an identifier, a literal. */
  rest: string
  children: SqlNode[]
}

/**
 * Reads a dump: each level is one space deeper, and a node says how many children it has.
 * Undefined where a line's depth or a count does not fit: then a name holds what looks like the
 * dump, and nobody knows its shape.
 */
export function treeOf(lines: readonly string[]): SqlNode | undefined {
  const open: { node: SqlNode; missing: number }[] = []
  let root: SqlNode | undefined
  for (const line of lines) {
    const depth = line.length - line.trimStart().length
    while (open.length > 0 && open.at(-1)!.missing === 0) open.pop()
    if (depth !== open.length || (root && depth === 0)) return undefined
    const [, text = '', count = '0'] = /^(.*?)(?: \(children (\d+)\))?$/u.exec(line.trim()) ?? []
    const space = text.indexOf(' ')
    const node: SqlNode = {
      type: space < 0 ? text : text.slice(0, space),
      rest: space < 0 ? '' : text.slice(space + 1),
      children: [],
    }
    const parent = open.at(-1)
    if (parent) {
      parent.node.children.push(node)
      parent.missing--
    } else root = node
    open.push({ node, missing: Number(count) })
  }
  return open.every(({ missing }) => missing === 0) ? root : undefined
}
