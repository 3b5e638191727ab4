#!/bin/sh
# The command of a worker's environment: runners start it with arguments of their own and none of ours. It may be reached through links, and
# becomes the worker, so that signals and the end of the runner reach the worker itself.
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname -- "$self")/$target ;;
  esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P) || exit 1
node=$here/../../node_modules/node/bin/node
[ -x "$node" ] || node=node
# The options of the heap as in infra/heap-options.ts.
exec "$node" --disable-warning=ExperimentalWarning --max-semi-space-size=64 --no-allocation-site-pretenuring "$here/worker.ts" "$@"
