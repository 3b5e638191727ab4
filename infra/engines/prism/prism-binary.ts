import { resolve } from 'node:path';
import {
  goBinary,
  type GoBinary,
  type GoBuildSettings,
  type GoProgram,
} from '#infra/emulators/go-program.ts';
import { asEngine } from '../as-engine.ts';

const BEAM = 'github.com/apache/beam/sdks/v2';

const PRISM: GoProgram = {
  name: 'prism',
  binary: 'prism',
  module: resolve(import.meta.dirname, 'module'),
  package: `${BEAM}/go/cmd/prism`,
  memoryMin: 2_000_000_000,
  parallelMemoryMin: 6_000_000_000,
  duration: '2 to 4 minutes',
  // Published, it listens on every interface and takes no other word for it, and whoever reaches it can have it start any program.
  change: {
    module: BEAM,
    parts: ['go'],
    file: 'go/pkg/beam/runners/prism/internal/jobservices/server.go',
    from: 'net.Listen("tcp", fmt.Sprintf(":%d", port))',
    to: 'net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))',
  },
};

/** The pinned Prism: from the user's cache, else built into it. Throws `EngineUnavailable` when it can neither be found nor built. */
export const prismBinary = (settings: GoBuildSettings): Promise<GoBinary> =>
  asEngine(() => goBinary(PRISM, settings));
