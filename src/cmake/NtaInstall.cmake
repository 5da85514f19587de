# cmake --install: headers, libraries, the CMake package (COMPONENTS are the modules) and a pkg-config file.
include(CMakePackageConfigHelpers)

get_property(modules GLOBAL PROPERTY NTA_MODULES)
set(targets ${modules})
list(TRANSFORM targets PREPEND nta_)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/nta DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(BUILD_SHARED_LIBS)
  install(TARGETS nta EXPORT nta-targets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
else()
  install(TARGETS nta ${targets} EXPORT nta-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(EXPORT nta-targets NAMESPACE nta:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nta)

set(NTA_COMPONENTS ${modules})
list(REMOVE_ITEM NTA_COMPONENTS base)
configure_package_config_file(${PROJECT_SOURCE_DIR}/src/cmake/nta-config.cmake.in nta-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nta)
write_basic_package_version_file(nta-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/nta-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/nta-config-version.cmake
  ${PROJECT_SOURCE_DIR}/src/cmake/FindPCAP.cmake ${PROJECT_SOURCE_DIR}/src/cmake/FindZstd.cmake
  ${PROJECT_SOURCE_DIR}/src/cmake/FindSodium.cmake ${PROJECT_SOURCE_DIR}/src/cmake/FindNDPI.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/nta)

# pkg-config: the static libraries in link order, or the one shared library.
if(BUILD_SHARED_LIBS)
  set(NTA_PC_LIBS "-lnta")
else()
  list(REVERSE modules)
  list(TRANSFORM modules PREPEND "-lnta_")
  list(JOIN modules " " NTA_PC_LIBS)
  string(APPEND NTA_PC_LIBS " -lpcap -lz -lzstd -lsqlite3 -lcurl -lcrypto -lsodium")
  if(PostgreSQL_FOUND)
    string(APPEND NTA_PC_LIBS " -lpq")
  endif()
  if(NTA_WITH_NDPI)
    string(APPEND NTA_PC_LIBS " -lndpi")
  endif()
endif()
# Relative to the file itself, because the prefix may be chosen at installation.
file(RELATIVE_PATH NTA_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(${PROJECT_SOURCE_DIR}/src/cmake/nta.pc.in nta.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/nta.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
