# A test compares the version with rust-toolchain.toml. SOURCE_VERSION and SOURCE_DATE are the commit and its date, for
# `heartlist --version`.
FROM rust:1.95.0-slim-trixie@sha256:e14e87345b4d5964ddcc3491d27ee046a0f23820f340c3c1e24da6880141f7c0 AS build
# Keeps rustup from installing the components in rust-toolchain.toml.
ENV RUSTUP_TOOLCHAIN=1.95.0 SQLX_OFFLINE=true
WORKDIR /build
COPY . .
ARG SOURCE_VERSION
ARG SOURCE_DATE
RUN cargo build --release --locked --no-default-features --features demo --bin heartlist
# What the program needs at run time and nothing else: no shell, no package manager.
RUN mkdir -p /image/usr/local/bin /image/etc/ssl/certs /image/data /image/tmp \
    && cp target/release/heartlist /image/usr/local/bin/ \
    && ldd target/release/heartlist | grep -o '/[^ ]*' | xargs -I '{}' cp --parents -L '{}' /image/ \
    && cp -L /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
    && echo 'heartlist:x:10001:10001::/data:/nonexistent' >/image/etc/passwd \
    && chown 10001:10001 /image/data && chmod 1777 /image/tmp

FROM scratch
COPY --from=build /image/ /
USER 10001
ENV HOST=0.0.0.0 PORT=8080 HEARTLIST_DATA=/data
# A page of fifty rows allocates and frees some 500 strings. By default glibc keeps 7 freed pieces of each size at hand.
ENV GLIBC_TUNABLES=glibc.malloc.tcache_count=64
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/heartlist", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/heartlist"]
CMD ["serve"]
