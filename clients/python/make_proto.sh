#!/bin/sh
# Makes turunc/v1/*_pb2.py from the contract, with Debian 12's protoc (3.21).  The result is kept in
# the tree so that this folder alone is enough to use the package; a test sees to it that it is fresh.
#
#	make_proto.sh [OUTPUT_FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
proto=$here/../../proto
mkdir -p "$out/turunc/v1"
cd "$proto"
protoc --python_out="$out" --pyi_out="$out" -I . turunc/v1/*.proto
