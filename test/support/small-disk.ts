import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface SmallDisk {
  readonly path: string
  /** Takes all the room that is left. */
  fill(): void
  /** Gives it back. */
  empty(): void
}

/** A disk of some MiB, in memory, at a directory that is made for it. Undefined where this user may not mount one. */
export function smallDisk(mebibytes: number, at?: string): SmallDisk | undefined {
  const path = at ?? mkdtempSync(join(tmpdir(), 'lyceum-disk-'))
  mkdirSync(path, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'none', path], { stdio: 'ignore' })
  } catch {
    rmSync(path, { recursive: true })
    return undefined
  }
  onTestFinished(() => {
    execFileSync('umount', ['-l', path])
    rmSync(path, { recursive: true })
  })
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      for (let bytes = 2 ** 20; bytes >= 4_096; bytes /= 2)
        try {
          for (;;) writeFileSync(filler, Buffer.alloc(bytes, 1), { flag: 'a' })
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        }
    },
    empty: () => rmSync(filler),
  }
}

/** Why a test that needs one is left out. */
export const NO_DISK = 'this user may not mount a disk (tmpfs), and a full one is what the test is about'
