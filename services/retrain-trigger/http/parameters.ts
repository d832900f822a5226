/** What several routes of retrain-trigger share. */

/** Access for keys that may read; the handler asks for which models. */
export const READ = { scope: 'read' as const, isByModel: true }
/** Access for keys that may operate; the handler asks for which models. */
export const OPERATE = { scope: 'operate' as const, isByModel: true }

/** Where the routes stand in the OpenAPI document. */
export const tags = ['retraining']
