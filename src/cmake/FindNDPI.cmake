# NDPI::NDPI: the shared library only, because nDPI's licence (LGPL) wants it to be exchangeable.
find_path(NDPI_INCLUDE_DIR ndpi_api.h PATH_SUFFIXES ndpi)
find_library(NDPI_LIBRARY NAMES libndpi.so)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(NDPI REQUIRED_VARS NDPI_LIBRARY NDPI_INCLUDE_DIR)
if(NDPI_FOUND AND NOT TARGET NDPI::NDPI)
  add_library(NDPI::NDPI SHARED IMPORTED)
  set_target_properties(NDPI::NDPI PROPERTIES IMPORTED_LOCATION "${NDPI_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${NDPI_INCLUDE_DIR}")
endif()
mark_as_advanced(NDPI_INCLUDE_DIR NDPI_LIBRARY)
