#!/usr/bin/env bash
# Builds the functions twice, from two folders into two target folders, and compares what came out.
set -euo pipefail
arch="${1:?usage: scripts/build_twice.sh arm64|x86_64 [one function of the template, such as MetricsPublisherFunction]}"
function="${2:-}"
root="$(cd "$(dirname "$0")/.." && pwd)"
place="$root/.pipewarden/reproducible"
rm -rf "$place/copy" "$place/sums-1" "$place/sums-2"
mkdir -p "$place/copy"
(cd "$root" && git ls-files -z -co --exclude-standard | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar --null -T - -cf -) | tar -xf - -C "$place/copy"

# The environment of pip and SAM is the same for both.
mkdir -p "$place/copy/.pipewarden"
ln -s "$root/.pipewarden/build-venv" "$place/copy/.pipewarden/build-venv"

build() { # from folder, into target folder, sums into file
  CARGO_TARGET_DIR="$2" make --no-print-directory -C "$1" build ARCH="$arch" FUNCTION="$function"
  (cd "$1/.aws-sam/build" && sha256sum -- */bootstrap) >"$3"
}
build "$root" "$place/target-1" "$place/sums-1"
build "$place/copy" "$place/target-2" "$place/sums-2"
cat "$place/sums-1"
diff "$place/sums-1" "$place/sums-2"
echo "Both builds are the same."
