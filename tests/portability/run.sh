#!/usr/bin/env bash
# The suite with other versions: an environment for each set, made where it is not there yet, and a line each.
#   tests/portability/run.sh FOLDER [oldest] [3.12] [3.13] [-- PYTEST ARGUMENTS]
# oldest: Python 3.10 and oldest.txt. 3.12, 3.13: the torch of constraints.txt, and of all else what is current.
# Interpreters are looked for on the PATH and among pyenv's. FOLDER gets the environments and what was printed.
set -uo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "${1:?which folder for the environments?}"
folder=$(cd "$1" && pwd)
shift
sets=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do sets+=("$1"); shift; done
[ $# -gt 0 ] && shift
[ ${#sets[@]} -gt 0 ] || sets=(oldest 3.12 3.13)

interpreter() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        "$candidate" -c pass 2> /dev/null && echo "$candidate" && return
    done
    return 1
}

make_environment() { # set, interpreter; the oldest is without this package, which PYTHONPATH brings
    local pip="$folder/$1/bin/python -m pip install --quiet"
    "$2" -m venv --clear "$folder/$1" || return
    if [ "$1" = oldest ]; then
        # s3prl's dependencies of that time are built with the setuptools of that time.
        $pip 'setuptools<70' wheel && SETUPTOOLS_USE_DISTUTILS=stdlib $pip -r tests/portability/oldest.txt || return
    else
        $pip "$(grep '^torch==' constraints.txt)" && $pip -e '.[dev,demo]' || return
    fi
    "$folder/$1/bin/python" -c 'import torchaudio' 2> /dev/null ||
        rm -f "$folder/$1"/lib/python3.*/site-packages/torchaudio/lib/_torchaudio*.so
    touch "$folder/$1/made"
}

failed=0
for name in "${sets[@]}"; do
    python=$(interpreter "${name/oldest/3.10}") || { echo "$name: no Python ${name/oldest/3.10} here"; failed=1; continue; }
    [ -e "$folder/$name/made" ] || make_environment "$name" "$python" > "$folder/$name.pip.txt" 2>&1 ||
        { echo "$name: could not be made, see $folder/$name.pip.txt"; failed=1; continue; }
    OMP_NUM_THREADS=1 SETUPTOOLS_USE_DISTUTILS=$([ "$name" = oldest ] && echo stdlib || echo local) PYTHONPATH=$PWD \
        "$folder/$name/bin/python" -m pytest -q -n "${WORKERS:-2}" --dist loadfile "$@" > "$folder/$name.txt" 2>&1 || failed=1
    versions=$("$folder/$name/bin/python" -c 'import platform, numpy, torch, transformers
print("Python", platform.python_version(), *(f"{part.__name__} {part.__version__}" for part in (torch, numpy, transformers)))')
    echo "$name: $versions: $(tail -n 1 "$folder/$name.txt" | tr -d =)"
done
exit $failed
