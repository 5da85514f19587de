# What the library needs. A module that is switched off needs nothing.
find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(PCAP REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
