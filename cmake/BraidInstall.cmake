# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, and the Debian package that cpack makes of
# it. /etc/braid, /run/braid and /var/lib/braid are the programs' own defaults
# and do not follow the prefix.
include(GNUInstallDirs)
set(packaging ${CMAKE_SOURCE_DIR}/packaging)
# Who builds a package maintains it.
set(CPACK_PACKAGE_CONTACT "The authors of Braid <braid@localhost>"
  CACHE STRING "maintainer of the package, with an address")

install(TARGETS braidd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS braidctl braid-fetch braid-train
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TARGET man)
  foreach(section 1 5 8)
    install(DIRECTORY ${CMAKE_BINARY_DIR}/man/
      DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
      FILES_MATCHING PATTERN "*.${section}.gz")
  endforeach()
else()
  message(STATUS "scdoc is not installed: no manual pages")
endif()
install(DIRECTORY conf/examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
  FILES_MATCHING PATTERN "*.yaml")
install(FILES ${packaging}/systemd/transparent.conf
  ${packaging}/grafana/braid.json ${packaging}/prometheus/alerts.yaml
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES README.md SECURITY.md docs/access-log.md docs/balancing.md
  docs/control.md docs/from-haproxy.md docs/glossary.md docs/metrics.md
  docs/protection.md docs/transparent.md
  ${packaging}/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(CONFIGURE OUTPUT changelog.Debian CONTENT
"braid (@PROJECT_VERSION@-1) unstable; urgency=medium

  * What changed is in changelog.gz.

 -- @CPACK_PACKAGE_CONTACT@  @date@
" @ONLY)
file(COPY_FILE ${CMAKE_SOURCE_DIR}/CHANGELOG.md
  ${CMAKE_BINARY_DIR}/changelog)
foreach(name changelog changelog.Debian)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${name}.gz
    COMMAND gzip -9nkf ${CMAKE_BINARY_DIR}/${name}
    DEPENDS ${CMAKE_BINARY_DIR}/${name} VERBATIM)
  list(APPEND changelogs ${CMAKE_BINARY_DIR}/${name}.gz)
endforeach()
add_custom_target(changelogs ALL DEPENDS ${changelogs})
install(FILES ${changelogs} DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES docs/generated/braid.schema.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/braid)
install(FILES ${packaging}/braid.yaml DESTINATION /etc/braid)

# systemd wants whole paths, known only once a prefix is chosen.
install(CODE "
  set(packaging \"${packaging}\")
  set(unit_made \"${CMAKE_BINARY_DIR}/braid.service\")")
install(CODE [[
  file(READ "${packaging}/systemd/braid.service" unit)
  foreach(folder sbin bin)
    string(REPLACE "=/usr/${folder}/" "=${CMAKE_INSTALL_PREFIX}/${folder}/"
      unit "${unit}")
  endforeach()
  file(WRITE "${unit_made}" "${unit}")
]])
install(FILES ${CMAKE_BINARY_DIR}/braid.service
  DESTINATION lib/systemd/system)
foreach(kind sysusers tmpfiles)
  install(FILES ${packaging}/systemd/braid.${kind}
    DESTINATION lib/${kind}.d RENAME braid.conf)
endforeach()
install(FILES ${packaging}/systemd/braid.sysctl
  DESTINATION lib/sysctl.d RENAME 60-braid.conf)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # /etc/braid is outside the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_VENDOR "The authors of Braid")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
  "userspace layer-4 load balancer on io_uring")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Braid stands in front of servers and passes TCP connections on to them, with
health checks, limits, queues, access log and metrics. Bulk moves through the
kernel without copies; a reload drops no connection. It needs Linux 6.1 or
later with io_uring allowed.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser) # where there is no systemd
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "gcc, libc6-dev") # braid-train --so
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/debian/conffiles
  ${packaging}/debian/postinst ${packaging}/debian/prerm
  ${packaging}/debian/postrm)
include(CPack)
