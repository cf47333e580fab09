# What is missing on the machine, and the programs themselves.
# shellcheck shell=bash disable=SC2034,SC2154  # the parts share their variables

install_packages()
{
	local missing
	missing=$("$ROOT/deploy/dependencies" check build run | wc -l) || true
	[ "$missing" = 0 ] || "$ROOT/deploy/dependencies" install build run || return 1
	if [ "$missing" -gt 0 ]; then detail "$missing installed"; else detail "nothing missing"; fi
}

build_programs()
{
	local name generator=(-G Ninja) launcher=()
	command -v ninja >/dev/null || generator=(-G "Unix Makefiles")
	! command -v ccache >/dev/null || launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
	[ ! -e "$BUILD/CMakeCache.txt" ] || generator=()
	cmake -S "$ROOT" -B "$BUILD" "${generator[@]}" "${launcher[@]}" \
		-DCMAKE_BUILD_TYPE=RelWithDebInfo || return 1
	cmake --build "$BUILD" --parallel "$(nproc)" --target programs || return 1
	for name in turunc-intake turunc-router turunc-notifier turunc-metrics masa; do
		[ -x "$BUILD/bin/$name" ] || { echo "the build made no $name"; return 1; }
	done
	detail "$(du -ch "$BUILD"/bin/turunc-* "$BUILD/bin/masa" | awk 'END { print $1 }') in build/bin"
}
