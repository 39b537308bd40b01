# SPDX-License-Identifier: Apache-2.0
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LIBURING REQUIRED IMPORTED_TARGET liburing>=2.3)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(MHD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares)
pkg_check_modules(MAXMINDDB REQUIRED IMPORTED_TARGET libmaxminddb)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(CK REQUIRED IMPORTED_TARGET ck)
# 7.88: names in punycode; 7.80: a word before a request is sent.
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl>=3.0)

add_library(braid_flags INTERFACE)
target_include_directories(braid_flags INTERFACE ${CMAKE_SOURCE_DIR}
  ${CMAKE_BINARY_DIR}/generated)
target_compile_features(braid_flags INTERFACE c_std_17)
target_compile_definitions(braid_flags INTERFACE _GNU_SOURCE
  BRAID_VERSION="${PROJECT_VERSION}")
target_compile_options(braid_flags INTERFACE -Wall -Wextra -Wshadow
  -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef -Werror
  -fno-strict-aliasing -fno-common -fstack-protector-strong -g)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(braid_flags INTERFACE -O2 -UNDEBUG
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fPIE -ffunction-sections
    -fno-plt)
  target_link_options(braid_flags INTERFACE -pie -Wl,-z,relro,-z,now
    -Wl,--gc-sections)
else()
  target_compile_options(braid_flags INTERFACE -O1 -fno-omit-frame-pointer)
endif()
if(BRAID_SANITIZE STREQUAL "address")
  target_compile_options(braid_flags INTERFACE -fsanitize=address,undefined
    -fno-sanitize-recover=all)
  target_link_options(braid_flags INTERFACE -fsanitize=address,undefined)
elseif(BRAID_SANITIZE STREQUAL "thread")
  target_compile_options(braid_flags INTERFACE -fsanitize=thread)
  target_link_options(braid_flags INTERFACE -fsanitize=thread)
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_C_EXTENSIONS ON)

# braid_library(name SOURCES a.c b.c [LINK lib ...])
function(braid_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_SOURCES)
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE braid_flags ${ARG_LINK})
    return()
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC braid_flags ${ARG_LINK})
endfunction()

# braid_program(name SOURCES a.c [LINK lib ...])
function(braid_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  foreach(source ${ARG_SOURCES})
    get_filename_component(full ${source} ABSOLUTE)
    if(NOT EXISTS ${full})
      return()
    endif()
  endforeach()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE braid_flags ${ARG_LINK})
endfunction()
