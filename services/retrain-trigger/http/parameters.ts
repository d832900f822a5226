/** What several routes of retrain-trigger share. */

/** Access for keys that may read. */
export const READ = { scope: 'read' as const }
/** Access for keys that may operate. */
export const OPERATE = { scope: 'operate' as const }

/** Where the routes stand in the OpenAPI document. */
export const tags = ['retraining']
