# nta_add_module(NAME SOURCES a.cc ... [DEPENDS module ...] [PUBLIC target ...] [PRIVATE target ...])
#
# Declares the module NAME: the library nta_NAME (alias nta::NAME) made from SOURCES, whose public headers stand in
# include/nta/NAME. DEPENDS names the modules that its public headers may include; PUBLIC and PRIVATE are other targets.
# With BUILD_SHARED_LIBS the modules become the parts of one shared library, libnta.
set_property(GLOBAL PROPERTY NTA_MODULES "")

function(nta_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PUBLIC;PRIVATE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "nta_add_module(${name}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(BUILD_SHARED_LIBS)
    add_library(nta_${name} OBJECT ${arg_SOURCES})
    # libnta exports by version script (nta.map), so the objects stay visible until then.
    set_target_properties(nta_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  else()
    add_library(nta_${name} STATIC ${arg_SOURCES})
    set_target_properties(nta_${name} PROPERTIES
      POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()
  add_library(nta::${name} ALIAS nta_${name})
  set_target_properties(nta_${name} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME nta_${name})
  target_compile_features(nta_${name} PUBLIC cxx_std_20)
  target_include_directories(nta_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  set(modules ${arg_DEPENDS})
  list(TRANSFORM modules PREPEND nta_)
  target_link_libraries(nta_${name}
    PUBLIC ${modules} absl::status absl::statusor ${arg_PUBLIC}
    PRIVATE $<BUILD_INTERFACE:nta_options> ${arg_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY NTA_MODULES ${name})
endfunction()

# nta_add_program(NAME SOURCES a.cc ... LIBRARIES nta::x ...): an executable with our warnings.
function(nta_add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE nta_options ${arg_LIBRARIES})
endfunction()
