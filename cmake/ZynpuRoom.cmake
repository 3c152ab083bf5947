# SPDX-License-Identifier: MIT
# The three ways to add code to the tree, so that flags and naming stay in one place.

add_library(zynpu_options INTERFACE)
target_compile_options(zynpu_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Werror)
if(ZYNPU_SANITIZE)
  target_compile_options(zynpu_options INTERFACE -fsanitize=${ZYNPU_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(zynpu_options INTERFACE -fsanitize=${ZYNPU_SANITIZE})
endif()
if(ZYNPU_FUZZ)
  target_compile_options(zynpu_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# zynpu_room(NAME SOURCES ... [DEPENDS ...]): the static library zynpu_NAME of room src/NAME, as zynpu::NAME.
function(zynpu_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(zynpu_${name} STATIC ${ARG_SOURCES})
  add_library(zynpu::${name} ALIAS zynpu_${name})
  target_include_directories(zynpu_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(zynpu_${name} PUBLIC ${ARG_DEPENDS} PRIVATE zynpu_options)
endfunction()

# zynpu_test(NAME SOURCES ... [DEPENDS ...]): a GoogleTest program; each of its tests is one CTest test.
function(zynpu_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ZYNPU_TESTS)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} GTest::gtest GTest::gtest_main zynpu_options)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE ZYNPU_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             ZYNPU_BINARY_DIR="${CMAKE_BINARY_DIR}")
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
endfunction()

# zynpu_bench(NAME SOURCES ... [DEPENDS ...]): a Google Benchmark program.
function(zynpu_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ZYNPU_BENCH)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} benchmark::benchmark benchmark::benchmark_main
                                        zynpu_options)
endfunction()

# zynpu_fuzz(NAME SOURCES ... [DEPENDS ...]): a libFuzzer program; only with ZYNPU_FUZZ.
function(zynpu_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ZYNPU_FUZZ)
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} zynpu_options)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
