/**
 * A disk whose power can be cut: an ext4 file system on a loop device that bypasses the page cache,
 * so that its image holds just what has reached the disk. Needs root.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const BYTES = 2 ** 31
/**
 * `EXT4_IOC_SHUTDOWN` with `EXT4_GOING_FLAGS_NOLOGFLUSH`: from here on nothing is written to the
 * disk, as xfstests cuts it.
 */
const SHUTDOWN =
  'open(my $f, "<", $ARGV[0]) or die $!; my $flags = pack("L", 2); ioctl($f, 0x8004587d, $flags) or die $!'

export interface Disk {
  /** Where it is mounted. */
  path: string
  /**
   * Cuts the power: what was written and has not reached the disk is lost. What has is in the image
   * that is returned, of which {@link mountDisk} makes a disk again.
   */
  cut: () => string
  /** Takes the disk off; whoever uses it must be gone. */
  remove: () => void
}

/** The sentence of what is missing for such a disk here, undefined where nothing is. */
export function whyNoDisk(): string | undefined {
  if (process.platform !== 'linux') return 'a disk to cut off needs Linux'
  if (process.getuid?.() !== 0)
    return 'a disk to cut off needs root: run sudo npm run test:power-loss'
  for (const [tool, of] of [
    ['losetup', 'mount'],
    ['mkfs.ext4', 'e2fsprogs'],
    ['perl', 'perl'],
  ] as const)
    if (!isThere(tool)) return `${tool} is not installed (Debian: apt-get install ${of})`
  try {
    execFileSync('losetup', ['--find'], { stdio: 'pipe' })
  } catch {
    return 'there is no loop device: load the module (modprobe loop), or run where a container may have one'
  }
  return undefined
}

const isThere = (tool: string) => {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

/** @param folder on a file system that direct I/O works on, with room for two images */
export function newDisk(folder: string): Disk {
  mkdirSync(folder, { recursive: true })
  const image = join(folder, 'disk-0.img')
  writeFileSync(image, '')
  truncateSync(image, BYTES)
  run('mkfs.ext4', '-q', '-F', image)
  return mountDisk(image)
}

/**
 * Every disk is mounted with the longest interval of its own commits: what reaches it, somebody has
 * synced.
 */
export function mountDisk(image: string): Disk {
  const path = `${image}.mount`
  mkdirSync(path)
  const device = run('losetup', '--direct-io=on', '--find', '--show', image).trim()
  run('mount', '-t', 'ext4', '-o', 'commit=300', device, path)
  const remove = () => {
    if (!mounted.delete(remove)) return
    // Lazily: whoever was killed in the middle may still be on it for a moment.
    run('umount', '--lazy', path)
    run('losetup', '--detach', device)
  }
  mounted.add(remove)
  return {
    path,
    cut: () => {
      run('perl', '-e', SHUTDOWN, path)
      const copy = image.replace(/-(\d+)\.img$/, (_, n) => `-${Number(n) + 1}.img`)
      run('cp', '--sparse=always', image, copy)
      if (statSync(copy).size !== BYTES) throw new Error(`${copy} is no whole copy of the disk`)
      return copy
    },
    remove,
  }
}

const mounted = new Set<() => void>()
/** Takes off all disks that are still on, as after a test that failed. */
export function removeDisks(): void {
  for (const remove of mounted) remove()
}

const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
