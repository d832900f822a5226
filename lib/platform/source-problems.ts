/** What sources need of the settings around them. */
import { ConfigError } from '../runtime/config.ts'
import { readSources, type Source } from '../sources/source-files.ts'
import type { PlatformConfig } from './platform-config.ts'

/**
 * The sources of the folder that the settings name.
 *
 * @throws {ConfigError} with every problem of every file, and of the settings around them
 */
export function readableSources(
  config: Pick<
    PlatformConfig,
    'PLUMBLINE_SOURCES_DIR' | 'PLUMBLINE_KAFKA_BROKERS' | 'PLUMBLINE_SCHEMA_REGISTRY_URL'
  >,
): readonly Source[] {
  const sources = readSources(config.PLUMBLINE_SOURCES_DIR)
  const problems = sourceProblems(sources, config)
  if (problems.length > 0) throw new ConfigError(problems)
  return sources
}

/** A sentence for each source that the settings do not let be read. */
function sourceProblems(
  sources: readonly Source[],
  config: Pick<PlatformConfig, 'PLUMBLINE_KAFKA_BROKERS' | 'PLUMBLINE_SCHEMA_REGISTRY_URL'>,
): string[] {
  return sources.flatMap(({ name, file }) => {
    if (!file.kafka) return []
    if (!config.PLUMBLINE_KAFKA_BROKERS)
      return [`source ${name} reads the topic ${file.kafka.topic}: set PLUMBLINE_KAFKA_BROKERS`]
    return file.format === 'avro' && !config.PLUMBLINE_SCHEMA_REGISTRY_URL
      ? [`source ${name} is in Avro: set PLUMBLINE_SCHEMA_REGISTRY_URL`]
      : []
  })
}
