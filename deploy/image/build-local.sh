#!/usr/bin/env bash
# Builds the image where no registry of images can be reached: on a base made of Debian's packages, by Debian's buildah.
# `npm run test:deploy` builds it so, starts it and talks to it. The first run takes minutes, the next ones what changed.
#
#   sudo deploy/image/build-local.sh [TAG]      TAG is localhost/plumbline unless given
set -euo pipefail
cd "$(dirname "$0")/../.."

tag="${1:-localhost/plumbline}"
base=localhost/plumbline-base
suite=bookworm
folder="$PWD/.local/image"
node="$PWD/node_modules/node/bin/node"

if [ "$(id -u)" != 0 ]; then
  echo 'build-local.sh needs root, for debootstrap: sudo deploy/image/build-local.sh' >&2
  exit 1
fi
for tool in buildah runc debootstrap npm; do
  if ! command -v "$tool" >/dev/null; then
    echo "$tool is not installed (Debian: apt-get install buildah runc debootstrap; npm comes with Node)" >&2
    exit 1
  fi
done
if [ ! -x "$node" ]; then
  echo 'node_modules is missing: npm run check sets it up' >&2
  exit 1
fi

# Layers lie beside the working copy, away from other images of this machine.
mkdir -p "$folder"
stores=(--root "$folder/storage" --runroot "$folder/run" --storage-driver overlay)

if [ ! -e "$folder/base.done" ]; then
  rm -rf "$folder/base"
  debootstrap --variant=minbase --include=ca-certificates "$suite" "$folder/base"
  rm -rf "$folder/base"/var/cache/apt/archives/*.deb "$folder/base"/var/lib/apt/lists/*
  touch "$folder/base.done"
fi

# What the official image of Node adds: Node and npm. The certificates are this machine's, since its registry may need them;
# Node has its own list of authorities, and takes others only where it is told to.
authorities=/etc/ssl/certs/ca-certificates.crt
made_of="$suite, node $("$node" --version), npm $(npm --version)"
if [ "$(cat "$folder/base.committed" 2>/dev/null)" != "$made_of" ]; then
  install -D "$node" "$folder/base/usr/local/bin/node"
  rm -rf "$folder/base/usr/local/lib/node_modules"
  mkdir -p "$folder/base/usr/local/lib/node_modules"
  cp -r "$(npm root -g)/npm" "$folder/base/usr/local/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$folder/base/usr/local/bin/npm"
  if [ -e "$authorities" ]; then cp "$authorities" "$folder/base$authorities"; fi
  container="$(buildah "${stores[@]}" from scratch)"
  buildah "${stores[@]}" add --quiet "$container" "$folder/base" / >/dev/null
  buildah "${stores[@]}" config --env "NODE_EXTRA_CA_CERTS=$authorities" "$container"
  buildah "${stores[@]}" commit --quiet --rm "$container" "$base" >/dev/null
  printf %s "$made_of" >"$folder/base.committed"
fi

npmrc=()
if [ -e "$HOME/.npmrc" ]; then npmrc=(--secret "id=npmrc,src=$HOME/.npmrc"); fi
# Docker's format keeps HEALTHCHECK, which OCI's does not know.
buildah "${stores[@]}" build --isolation chroot --network host --format docker --layers \
  --build-arg "BASE_IMAGE=$base" "${npmrc[@]}" --tag "$tag" .
echo "built $tag; its layers are in $folder/storage"
