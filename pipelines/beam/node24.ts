// Must be the first import of whatever loads the SDK. Node 23 removed `util.isPrimitive`, which serialize-closures,
// a dependency of the SDK, still calls while it loads.
import util from 'node:util';

const legacy = util as typeof util & { isPrimitive?: (value: unknown) => boolean };
legacy.isPrimitive ??= (value) =>
  value === null || (typeof value !== 'object' && typeof value !== 'function');
