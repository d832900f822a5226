/** What a process goes by, as `GET /v1/config` tells it: with every secret left out. */
import type { InForce } from '../../../schemas/http/config.ts'
import { liveModels, type LiveModels } from '../../models/reload/live-models.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { liveSources, type LiveSources, type SourceFolder } from '../../sources/live-sources.ts'
import type { PlatformConfig } from '../platform-config.ts'
import { readableSources } from '../source-problems.ts'
import type { CertificateInForce } from './live-certificate.ts'
import { privacyOf } from '../privacy-key.ts'
import { shownSettings } from './shown-settings.ts'

const iso = (ms: number) => new Date(ms).toISOString()

const refusedOf = (refused: CertificateInForce['refused']) =>
  refused ? { at: iso(refused.at), problems: [...refused.problems] } : null

/** Settings, model files, source files and certificate in force; read each time it is asked. */
export function inForceOf(
  config: PlatformConfig,
  models: Pick<LiveModels, 'inForce'>,
  sources: SourceFolder,
  certificate: CertificateInForce | undefined,
): InForce {
  const { folder, loadedAt, files, refused } = models.inForce()
  return {
    settings: shownSettings(config),
    models: {
      folder,
      loaded_at: iso(loadedAt),
      files: files.map(({ file, modelId, sha256, loadedAt: at }) => ({
        file,
        model_id: modelId,
        sha256,
        loaded_at: iso(at),
      })),
      refused: refusedOf(refused),
    },
    sources: {
      folder: sources.folder,
      loaded_at: iso(sources.loadedAt),
      files: sources.sources.map(({ name, revision }) => ({ source: name, revision })),
      refused: refusedOf(sources.refused),
    },
    tls: certificate
      ? {
          subject: certificate.subject,
          valid_from: iso(certificate.validFrom),
          valid_to: iso(certificate.validTo),
          refused: refusedOf(certificate.refused),
        }
      : null,
  }
}

/** The model files of a process, read anew as its settings say. */
export const liveModelsOf = (
  config: PlatformConfig,
  { metrics, log }: { metrics: Metrics; log: Logger },
): LiveModels =>
  liveModels({
    folder: config.PLUMBLINE_MODELS_DIR,
    check: (models) => void privacyOf(config, models),
    everyMs: config.PLUMBLINE_MODELS_POLL_SECONDS * 1000,
    registry: metrics.registry,
    log,
    now: systemClock,
  })

/** The source files of a process, read anew as its settings say. */
export const liveSourcesOf = (
  config: PlatformConfig,
  { metrics, log }: { metrics: Metrics; log: Logger },
): LiveSources =>
  liveSources({
    folder: config.PLUMBLINE_SOURCES_DIR,
    read: () => readableSources(config),
    everyMs: config.PLUMBLINE_MODELS_POLL_SECONDS * 1000,
    registry: metrics.registry,
    log,
    now: systemClock,
  })
