# What the library needs. A module that is switched off needs nothing.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(PCAP REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Zstd REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(nlohmann_json 3.10 REQUIRED)
