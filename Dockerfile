# Not used by Heroku. A test compares the version with rust-toolchain.toml.
FROM rust:1.95.0-slim-trixie AS build
# Keeps rustup from installing the components in rust-toolchain.toml.
ENV RUSTUP_TOOLCHAIN=1.95.0 SQLX_OFFLINE=true
WORKDIR /build
COPY . .
RUN cargo build --release --locked --no-default-features --features demo --bin heartlist

FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home heartlist \
    && install --directory --owner heartlist /data
COPY --from=build /build/target/release/heartlist /usr/local/bin/
USER 10001
ENV HOST=0.0.0.0 PORT=8080 HEARTLIST_DATA=/data
# A page of fifty rows allocates and frees some 500 strings. By default glibc keeps 7 freed pieces of each size at hand.
ENV GLIBC_TUNABLES=glibc.malloc.tcache_count=64
EXPOSE 8080
CMD ["heartlist", "serve"]
