/** What a process goes by, as `GET /v1/config` tells it: with every secret left out. */
import type { InForce } from '../../../schemas/http/config.ts'
import { liveModels, type LiveModels } from '../../models/reload/live-models.ts'
import { livePrices } from '../../models/derived/live-prices.ts'
import type { PriceTable } from '../../models/derived/price-table.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Logger } from '../../runtime/log.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import type { LiveReading } from '../../runtime/reload/live-reading.ts'
import { liveSources, type LiveSources, type SourceFolder } from '../../sources/live-sources.ts'
import type { PlatformConfig } from '../platform-config.ts'
import { readableSources } from '../source-problems.ts'
import type { CertificateInForce } from './live-certificate.ts'
import { privacyOf } from '../privacy-key.ts'
import { shownSettings } from './shown-settings.ts'

const iso = (ms: number) => new Date(ms).toISOString()

const refusedOf = (refused: CertificateInForce['refused']) =>
  refused ? { at: iso(refused.at), problems: [...refused.problems] } : null

/** What is read anew while a process runs. */
interface Live {
  models: Pick<LiveModels, 'inForce'>
  sources: { inForce: () => SourceFolder }
  prices: Pick<LiveReading<PriceTable>, 'inForce'>
  certificate: { inForce: () => CertificateInForce | undefined }
}

/** Settings and files in force; read each time it is asked. */
export function inForceOf(config: PlatformConfig, live: Live): InForce {
  const { folder, loadedAt, files, refused } = live.models.inForce()
  const sources = live.sources.inForce()
  const prices = live.prices.inForce()
  const certificate = live.certificate.inForce()
  const priceFile = config.PLUMBLINE_PRICES_FILE
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
    prices:
      priceFile === undefined
        ? null
        : {
            file: priceFile,
            loaded_at: iso(prices.loadedAt),
            entries: prices.value.prices.length,
            refused: refusedOf(prices.refused),
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

/** The price file of a process, read anew as its settings say. */
export const livePricesOf = (
  config: PlatformConfig,
  { metrics, log }: { metrics: Metrics; log: Logger },
): LiveReading<PriceTable> =>
  livePrices({
    file: config.PLUMBLINE_PRICES_FILE,
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
