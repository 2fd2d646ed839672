# find_package(tenure) offers
#   tenure::tenure   the shared library      tenure::static   the archive
#   tenure::debug    the checked archive, with TN_DEBUG=1 for what uses it
find_package(Threads REQUIRED)
get_filename_component(tenure_root "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

function(tenure_target name kind file)
  if(NOT TARGET tenure::${name})
    add_library(tenure::${name} ${kind} IMPORTED)
    set_target_properties(tenure::${name} PROPERTIES
      IMPORTED_LOCATION "${tenure_root}/lib/${file}"
      INTERFACE_INCLUDE_DIRECTORIES "${tenure_root}/include"
      INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
  endif()
endfunction()

tenure_target(tenure SHARED libtenure.so)
tenure_target(static STATIC libtenure.a)
tenure_target(debug STATIC libtenure-debug.a)
set_target_properties(tenure::debug PROPERTIES
  INTERFACE_COMPILE_DEFINITIONS TN_DEBUG=1)
