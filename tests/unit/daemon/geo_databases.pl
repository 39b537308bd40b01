#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Writes databases in MaxMind's format into a folder: country.mmdb, asn.mmdb
# (trees for IPv6 with IPv4 in them, and led to from elsewhere), flat.mmdb
# (for IPv4, with flat records, as other vendors have them), empty.mmdb.
use strict;
use warnings;
use MaxMind::DB::Writer::Tree;

my $folder = shift or die "usage: geo_databases.pl FOLDER\n";
my %types = (
    autonomous_system_number => 'uint32', continent => 'map',
    country => 'map', registered_country => 'map', code => 'utf8_string',
    iso_code => 'utf8_string', asn => 'utf8_string',
    country_code => 'utf8_string', continent_code => 'utf8_string',
    names => 'map', en => 'utf8_string', geoname_id => 'uint32',
);

sub tree {
    my ($name, $version, $size, @networks) = @_;
    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version => $version, record_size => $size, database_type => $name,
        languages => ['en'], description => { en => 'for tests' },
        map_key_type_callback => sub {
            $version == 4 && $_[0] =~ /^(continent|country)$/
                ? 'utf8_string' : $types{ $_[0] };
        },
        alias_ipv6_to_ipv4 => $version == 6 ? 1 : 0,
        remove_reserved_networks => 0,
    );
    while (my ($network, $record) = splice @networks, 0, 2) {
        $tree->insert_network($network, $record);
    }
    open my $to, '>:raw', "$folder/$name.mmdb" or die "$name: $!\n";
    $tree->write_tree($to);
    close $to or die "$name: $!\n";
}

sub place {
    my ($continent, $country, $registered) = @_;
    my %record = (continent => { code => $continent, geoname_id => 1 });
    $record{country} = { iso_code => $country, geoname_id => 2 } if $country;
    $record{registered_country} = { iso_code => $registered } if $registered;
    return \%record;
}

tree('country', 6, 28,
    '192.0.2.0/25'       => place('EU', 'DE'),
    '192.0.2.128/25'     => place('EU', 'FR'),
    '198.51.100.0/24'    => place('NA', 'US'),
    '203.0.113.0/24'     => place('EU', '', 'TR'),
    '10.0.0.0/9'         => place('AS', 'TR'),
    '10.128.0.0/9'       => place('AS', 'JP'),
    '2001:db8::/33'      => place('EU', 'DE'),
    '2001:db8:8000::/33' => place('NA', 'US'),
    '2a00::/12'          => place('EU', 'DE'));
tree('asn', 6, 24,
    '198.51.100.128/25' => { autonomous_system_number => 3320 },
    '2001:db8::/48'     => { autonomous_system_number => 4200000000 },
    '203.0.113.0/24'    => { autonomous_system_number => 64500 });
tree('flat', 4, 32,
    '192.0.2.0/24'    => { country => 'DE', continent => 'EU',
                           asn => 'AS3320' },
    '198.51.100.0/24' => { country_code => 'US', continent_code => 'NA',
                           asn => '64500' });
tree('empty', 6, 24, '192.0.2.0/24' => { names => { en => 'here' } });
